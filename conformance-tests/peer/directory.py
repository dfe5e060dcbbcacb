"""A directory of organizations as Carequality publishes one: a FHIR R4 Bundle of Organizations.
[profiles at sequoiaproject.org/fhir/sphd]"""

import json
from dataclasses import dataclass

SPHD = "https://sequoiaproject.org/fhir/sphd"


@dataclass(frozen=True)
class Organization:
    """`implementer` is the home of the managing organization, its own where it is an implementer itself."""
    home: str
    name: str
    implementer: str = ""
    active: bool = True
    delegates: tuple = ()
    endpoints: tuple = ()  # addresses, or pairs (address, status)

    @property
    def managed_by(self):
        return self.implementer or self.home


def _extension(name, **value):
    return {"url": f"{SPHD}/StructureDefinition/{name}", **value}


def _reference(home):
    return {"valueReference": {"reference": f"Organization/{home}"}}


def _endpoint(number, endpoint):
    address, status = (endpoint, "active") if isinstance(endpoint, str) else endpoint
    return {"resourceType": "Endpoint", "id": f"endpoint-{number}", "status": status, "address": address,
            "connectionType": {"system": f"{SPHD}/CodeSystem/endpoint-connection-type", "code": "ihe-xcpd"},
            "payloadType": [{"text": "any"}]}


def _resource(organization):
    own = organization.managed_by == organization.home
    extensions = [_extension("Domains", valueCoding={"system": f"{SPHD}/CodeSystem/Domains", "code": "CQ"})]
    extensions += [_extension("DOA", **_reference(delegate)) for delegate in organization.delegates]
    extensions.append(_extension("org-managing-org", **_reference(organization.managed_by)))
    resource = {
        "resourceType": "Organization", "id": organization.home, "extension": extensions,
        "identifier": [{"use": "official", "system": "urn:ietf:rfc:3986", "value": f"urn:oid:{organization.home}",
                        "type": {"coding": [{"system": f"{SPHD}/CodeSystem/SequoiaIdentifierCodes", "code": "HCID"}]}}],
        "active": organization.active,
        "type": [{"coding": [{"system": f"{SPHD}/CodeSystem/OrganizationType",
                              "code": "Implementer" if own else "Connection"}]}],
        "name": organization.name,
    }
    if organization.endpoints:
        resource["contained"] = [_endpoint(number, one) for number, one in enumerate(organization.endpoints)]
    if not own:
        resource["partOf"] = {"reference": f"Organization/{organization.managed_by}"}
    return resource


def bundle(*organizations):
    """@return the JSON text of a Bundle with one entry each"""
    entries = [{"fullUrl": f"{SPHD}/Organization/{o.home}", "resource": _resource(o)} for o in organizations]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=1)
