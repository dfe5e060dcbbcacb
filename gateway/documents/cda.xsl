<?xml version="1.0" encoding="UTF-8"?>
<!--
  Renders a CDA R2 document (C-CDA R1.1/R2.1, C32) as one HTML5 page for people: header facts, a table of contents
  and the narrative of every section. [CDA R2 §4.3.5 Narrative Block; C-CDA R2.1 §1.1 US Realm Header]

  The document comes from a stranger, so this file is an allow-list. What may not live here:
  - copying an element or attribute of the input (no xsl:copy, no xsl:copy-of of input nodes, no computed names from it);
  - document(), imports, or any address that a browser would fetch without a click;
  - rendering of coded entries: the narrative is the part that the author signed for people.
  An attribute value from the input reaches the page in four checked forms only: colspan/rowspan (digits), th scope
  (four words), href (http, https or a place in the page, URI characters only), and id/lang (letters, digits, - _ .).
-->
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:cda="urn:hl7-org:v3"
    xmlns:sdtc="urn:hl7-org:sdtc"
    xmlns:str="http://exslt.org/strings"
    exclude-result-prefixes="cda sdtc str">

  <xsl:output method="html" encoding="UTF-8" indent="no" doctype-system="about:legacy-compat"/>

  <xsl:variable name="digits" select="'0123456789'"/>
  <xsl:variable name="upper" select="'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"/>
  <xsl:variable name="lower" select="'abcdefghijklmnopqrstuvwxyz'"/>
  <xsl:variable name="name-characters" select="concat($upper, $lower, $digits, '-_.')"/>
  <xsl:variable name="uri-characters" select="concat($upper, $lower, $digits, '-._~:/?#[]@!$&amp;()*+,;=%')"/>
  <xsl:variable name="base64-alphabet" select="concat($upper, $lower, $digits, '+/')"/>
  <!-- Embedded plain text above this is offered as a file: decoding in XSLT costs half a second per 200 kB. -->
  <xsl:variable name="base64-limit" select="200000"/>
  <!-- Anchors are only written where the document links to itself; exporters put an ID on every cell. -->
  <xsl:variable name="links-to-itself"
      select="boolean(//cda:linkHtml[starts-with(@href, '#')] | //cda:footnoteRef)"/>

  <!-- ============================================================ the page -->

  <xsl:template match="/">
    <xsl:variable name="document" select="cda:ClinicalDocument"/>
    <xsl:variable name="title">
      <xsl:call-template name="document-title">
        <xsl:with-param name="document" select="$document"/>
      </xsl:call-template>
    </xsl:variable>
    <html>
      <xsl:attribute name="lang">
        <xsl:call-template name="language">
          <xsl:with-param name="code" select="$document/cda:languageCode/@code"/>
        </xsl:call-template>
      </xsl:attribute>
      <head>
        <!-- The server sends a policy too; this one stays with the page when somebody saves it. -->
        <meta http-equiv="Content-Security-Policy"
            content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="referrer" content="no-referrer"/>
        <title><xsl:value-of select="$title"/></title>
        <style><xsl:call-template name="style"/></style>
      </head>
      <body>
        <xsl:choose>
          <xsl:when test="$document">
            <header>
              <h1><xsl:value-of select="$title"/></h1>
              <xsl:apply-templates select="$document/cda:recordTarget/cda:patientRole" mode="banner"/>
              <xsl:apply-templates select="$document" mode="facts"/>
            </header>
            <xsl:apply-templates select="$document/cda:component/cda:structuredBody" mode="contents"/>
            <main>
              <xsl:apply-templates select="$document/cda:component/cda:structuredBody" mode="body"/>
              <xsl:apply-templates select="$document/cda:component/cda:nonXMLBody" mode="body"/>
              <xsl:if test="not($document/cda:component/cda:structuredBody | $document/cda:component/cda:nonXMLBody)">
                <p class="note">This document has no content.</p>
              </xsl:if>
            </main>
          </xsl:when>
          <xsl:otherwise>
            <main>
              <h1><xsl:value-of select="$title"/></h1>
              <p class="note">This file is not a clinical document (CDA) and cannot be shown here.</p>
            </main>
          </xsl:otherwise>
        </xsl:choose>
      </body>
    </html>
  </xsl:template>

  <xsl:template name="document-title">
    <xsl:param name="document"/>
    <xsl:choose>
      <xsl:when test="normalize-space($document/cda:title)">
        <xsl:value-of select="normalize-space($document/cda:title)"/>
      </xsl:when>
      <xsl:when test="normalize-space($document/cda:code/@displayName)">
        <xsl:value-of select="normalize-space($document/cda:code/@displayName)"/>
      </xsl:when>
      <xsl:otherwise>Clinical document</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- Some exporters write the three-letter 'eng', which no screen reader maps to a voice. -->
  <xsl:template name="language">
    <xsl:param name="code"/>
    <xsl:choose>
      <xsl:when test="translate($code, $upper, $lower) = 'eng'">en</xsl:when>
      <xsl:when test="$code and string-length($code) &gt; 1 and string-length($code) &lt; 36
                      and contains(concat($upper, $lower), substring($code, 1, 1))
                      and translate($code, concat($upper, $lower, $digits, '-'), '') = ''">
        <xsl:value-of select="$code"/>
      </xsl:when>
      <xsl:otherwise>en</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- ============================================================ header: who -->

  <xsl:template match="cda:patientRole" mode="banner">
    <section class="patient" aria-label="Patient">
      <p class="patient-name">
        <xsl:variable name="name">
          <xsl:call-template name="person-name">
            <xsl:with-param name="names" select="cda:patient/cda:name"/>
          </xsl:call-template>
        </xsl:variable>
        <xsl:value-of select="$name"/>
        <xsl:if test="not(string($name))">Name not given</xsl:if>
      </p>
      <dl>
        <div>
          <dt>Born</dt>
          <dd>
            <xsl:choose>
              <xsl:when test="normalize-space(cda:patient/cda:birthTime/@value)">
                <xsl:call-template name="date">
                  <!-- Exporters pad the birth date with a time of midnight, which would read as a fact. -->
                  <xsl:with-param name="value" select="substring(cda:patient/cda:birthTime/@value, 1, 8)"/>
                </xsl:call-template>
              </xsl:when>
              <xsl:otherwise>not given</xsl:otherwise>
            </xsl:choose>
          </dd>
        </div>
        <div>
          <dt>Sex</dt>
          <dd><xsl:apply-templates select="cda:patient" mode="sex"/></dd>
        </div>
        <xsl:if test="cda:patient/sdtc:deceasedInd[@value = 'true' or @value = '1']
                      | cda:patient/sdtc:deceasedTime[@value]">
          <div>
            <dt>Deceased</dt>
            <dd>
              <xsl:choose>
                <xsl:when test="cda:patient/sdtc:deceasedTime/@value">
                  <xsl:call-template name="date">
                    <xsl:with-param name="value" select="cda:patient/sdtc:deceasedTime/@value"/>
                  </xsl:call-template>
                </xsl:when>
                <xsl:otherwise>yes</xsl:otherwise>
              </xsl:choose>
            </dd>
          </div>
        </xsl:if>
        <xsl:if test="cda:addr[normalize-space()]">
          <div>
            <dt>Address</dt>
            <xsl:for-each select="cda:addr[normalize-space()]">
              <dd><xsl:apply-templates select="." mode="address"/></dd>
            </xsl:for-each>
          </div>
        </xsl:if>
        <xsl:if test="cda:telecom[normalize-space(@value)]">
          <div>
            <dt>Phone and e-mail</dt>
            <xsl:for-each select="cda:telecom[normalize-space(@value)]">
              <dd><xsl:apply-templates select="." mode="telecom"/></dd>
            </xsl:for-each>
          </div>
        </xsl:if>
        <xsl:if test="cda:id[@root or @extension]">
          <div>
            <dt>Patient identifiers</dt>
            <xsl:for-each select="cda:id[@root or @extension]">
              <dd><xsl:apply-templates select="." mode="identifier"/></dd>
            </xsl:for-each>
          </div>
        </xsl:if>
      </dl>
    </section>
  </xsl:template>

  <xsl:template match="cda:patient" mode="sex">
    <xsl:variable name="sex" select="cda:administrativeGenderCode"/>
    <xsl:choose>
      <xsl:when test="$sex/@code = 'F'">Female</xsl:when>
      <xsl:when test="$sex/@code = 'M'">Male</xsl:when>
      <xsl:when test="$sex/@code = 'UN'">Undifferentiated</xsl:when>
      <xsl:when test="normalize-space($sex/@displayName)"><xsl:value-of select="$sex/@displayName"/></xsl:when>
      <xsl:when test="normalize-space($sex/@code)"><xsl:value-of select="$sex/@code"/></xsl:when>
      <xsl:otherwise>not given</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- A legal name goes before an alias, else the first: a banner shows one name. -->
  <xsl:template name="person-name">
    <xsl:param name="names"/>
    <xsl:variable name="given-names" select="$names[normalize-space()]"/>
    <xsl:variable name="legal" select="$given-names[contains(concat(' ', @use, ' '), ' L ')]"/>
    <xsl:choose>
      <xsl:when test="$legal"><xsl:apply-templates select="$legal[1]" mode="name"/></xsl:when>
      <xsl:otherwise><xsl:apply-templates select="$given-names[1]" mode="name"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template match="cda:name" mode="name">
    <xsl:variable name="parts">
      <xsl:choose>
        <xsl:when test="cda:family | cda:given">
          <xsl:for-each select="cda:prefix | cda:given | cda:family | cda:suffix">
            <!-- By role, not by place: some exporters write the family name first. -->
            <xsl:sort data-type="number" order="ascending"
                select="1 * boolean(self::cda:given) + 2 * boolean(self::cda:family) + 3 * boolean(self::cda:suffix)"/>
            <xsl:value-of select="concat(normalize-space(), ' ')"/>
          </xsl:for-each>
        </xsl:when>
        <xsl:otherwise><xsl:value-of select="."/></xsl:otherwise>
      </xsl:choose>
    </xsl:variable>
    <xsl:value-of select="normalize-space($parts)"/>
  </xsl:template>

  <xsl:template match="cda:addr" mode="address">
    <xsl:choose>
      <xsl:when test="*[normalize-space()]">
        <xsl:for-each select="cda:streetAddressLine[normalize-space()] | cda:houseNumber[normalize-space()]
                              | cda:streetName[normalize-space()]">
          <xsl:value-of select="normalize-space()"/>
          <xsl:text>, </xsl:text>
        </xsl:for-each>
        <xsl:value-of select="normalize-space(cda:city)"/>
        <xsl:if test="normalize-space(cda:city) and normalize-space(concat(cda:state, cda:postalCode))">, </xsl:if>
        <xsl:value-of select="normalize-space(concat(cda:state, ' ', cda:postalCode))"/>
        <xsl:if test="normalize-space(cda:country)">
          <xsl:if test="normalize-space(concat(cda:city, cda:state, cda:postalCode))">, </xsl:if>
          <xsl:value-of select="normalize-space(cda:country)"/>
        </xsl:if>
      </xsl:when>
      <xsl:otherwise><xsl:value-of select="normalize-space()"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template match="cda:telecom" mode="telecom">
    <xsl:choose>
      <xsl:when test="contains(@value, ':')
                      and contains('|tel|mailto|fax|', concat('|', substring-before(@value, ':'), '|'))">
        <xsl:value-of select="normalize-space(substring-after(@value, ':'))"/>
      </xsl:when>
      <xsl:otherwise><xsl:value-of select="normalize-space(@value)"/></xsl:otherwise>
    </xsl:choose>
    <xsl:choose>
      <xsl:when test="starts-with(@value, 'fax:')"> (fax)</xsl:when>
      <xsl:when test="@use = 'HP' or @use = 'H' or @use = 'HV'"> (home)</xsl:when>
      <xsl:when test="@use = 'WP'"> (work)</xsl:when>
      <xsl:when test="@use = 'MC'"> (mobile)</xsl:when>
    </xsl:choose>
  </xsl:template>

  <!-- The social security number is enough to confirm, not to copy from a screen at a front desk. -->
  <xsl:template match="cda:id" mode="identifier">
    <xsl:choose>
      <xsl:when test="@root = '2.16.840.1.113883.4.1'">
        <xsl:text>Social Security number ending in </xsl:text>
        <xsl:value-of select="substring(@extension, string-length(@extension) - 3)"/>
      </xsl:when>
      <xsl:otherwise>
        <xsl:value-of select="@extension"/>
        <xsl:if test="@extension and (@root or @assigningAuthorityName)"><xsl:text> </xsl:text></xsl:if>
        <xsl:choose>
          <xsl:when test="normalize-space(@assigningAuthorityName)">
            <span class="quiet">(<xsl:value-of select="normalize-space(@assigningAuthorityName)"/>)</span>
          </xsl:when>
          <xsl:when test="@root and @extension">
            <span class="quiet">(<xsl:value-of select="@root"/>)</span>
          </xsl:when>
          <xsl:otherwise><xsl:value-of select="@root"/></xsl:otherwise>
        </xsl:choose>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- ============================================================ header: what, when, by whom -->

  <xsl:template match="cda:ClinicalDocument" mode="facts">
    <section class="facts" aria-label="About this document">
      <dl>
        <xsl:call-template name="fact">
          <xsl:with-param name="label">Document type</xsl:with-param>
          <xsl:with-param name="value">
            <xsl:value-of select="normalize-space(cda:code/@displayName)"/>
            <xsl:if test="not(normalize-space(cda:code/@displayName)) and cda:code/@code">
              <xsl:value-of select="concat('LOINC ', cda:code/@code)"/>
            </xsl:if>
          </xsl:with-param>
        </xsl:call-template>
        <xsl:call-template name="fact">
          <xsl:with-param name="label">Created</xsl:with-param>
          <xsl:with-param name="value">
            <xsl:call-template name="date">
              <xsl:with-param name="value" select="cda:effectiveTime/@value"/>
            </xsl:call-template>
          </xsl:with-param>
        </xsl:call-template>
        <xsl:if test="cda:author">
          <div>
            <dt>Author</dt>
            <xsl:for-each select="cda:author">
              <dd><xsl:apply-templates select="cda:assignedAuthor" mode="author"/></dd>
            </xsl:for-each>
          </div>
        </xsl:if>
        <xsl:call-template name="fact">
          <xsl:with-param name="label">Signed by</xsl:with-param>
          <xsl:with-param name="value">
            <xsl:variable name="signer">
              <xsl:call-template name="person-name">
                <xsl:with-param name="names"
                    select="cda:legalAuthenticator/cda:assignedEntity/cda:assignedPerson/cda:name"/>
              </xsl:call-template>
            </xsl:variable>
            <xsl:if test="string($signer)">
              <xsl:value-of select="$signer"/>
              <xsl:if test="cda:legalAuthenticator/cda:time/@value">
                <xsl:text>, </xsl:text>
                <xsl:call-template name="date">
                  <xsl:with-param name="value" select="cda:legalAuthenticator/cda:time/@value"/>
                </xsl:call-template>
              </xsl:if>
            </xsl:if>
          </xsl:with-param>
        </xsl:call-template>
        <xsl:call-template name="fact">
          <xsl:with-param name="label">Kept by</xsl:with-param>
          <xsl:with-param name="value" select="normalize-space(
              cda:custodian/cda:assignedCustodian/cda:representedCustodianOrganization/cda:name[1])"/>
        </xsl:call-template>
        <xsl:call-template name="fact">
          <xsl:with-param name="label">Encounter</xsl:with-param>
          <xsl:with-param name="value">
            <xsl:apply-templates select="cda:componentOf/cda:encompassingEncounter" mode="encounter"/>
          </xsl:with-param>
        </xsl:call-template>
        <xsl:call-template name="fact">
          <xsl:with-param name="label">Care described</xsl:with-param>
          <xsl:with-param name="value">
            <xsl:call-template name="period">
              <xsl:with-param name="time" select="cda:documentationOf[1]/cda:serviceEvent/cda:effectiveTime"/>
            </xsl:call-template>
          </xsl:with-param>
        </xsl:call-template>
        <xsl:call-template name="fact">
          <xsl:with-param name="label">Confidentiality</xsl:with-param>
          <xsl:with-param name="value">
            <xsl:choose>
              <xsl:when test="cda:confidentialityCode/@code = 'R'">Restricted</xsl:when>
              <xsl:when test="cda:confidentialityCode/@code = 'V'">Very restricted</xsl:when>
            </xsl:choose>
          </xsl:with-param>
        </xsl:call-template>
      </dl>
    </section>
  </xsl:template>

  <xsl:template name="fact">
    <xsl:param name="label"/>
    <xsl:param name="value"/>
    <xsl:if test="normalize-space($value)">
      <div>
        <dt><xsl:value-of select="$label"/></dt>
        <dd><xsl:value-of select="normalize-space($value)"/></dd>
      </div>
    </xsl:if>
  </xsl:template>

  <xsl:template match="cda:assignedAuthor" mode="author">
    <xsl:variable name="person">
      <xsl:call-template name="person-name">
        <xsl:with-param name="names" select="cda:assignedPerson/cda:name"/>
      </xsl:call-template>
    </xsl:variable>
    <xsl:variable name="device" select="normalize-space(concat(
        cda:assignedAuthoringDevice/cda:manufacturerModelName, ' ', cda:assignedAuthoringDevice/cda:softwareName))"/>
    <xsl:variable name="organization" select="normalize-space(cda:representedOrganization/cda:name[1])"/>
    <xsl:choose>
      <xsl:when test="string($person)"><xsl:value-of select="$person"/></xsl:when>
      <xsl:when test="$device"><xsl:value-of select="$device"/></xsl:when>
      <xsl:when test="not($organization)">not given</xsl:when>
    </xsl:choose>
    <xsl:if test="(string($person) or $device) and $organization">, </xsl:if>
    <xsl:value-of select="$organization"/>
  </xsl:template>

  <xsl:template match="cda:encompassingEncounter" mode="encounter">
    <xsl:variable name="facility" select="cda:location/cda:healthCareFacility"/>
    <xsl:variable name="place">
      <xsl:choose>
        <xsl:when test="normalize-space($facility/cda:location/cda:name)">
          <xsl:value-of select="normalize-space($facility/cda:location/cda:name)"/>
        </xsl:when>
        <xsl:otherwise>
          <xsl:value-of select="normalize-space($facility/cda:serviceProviderOrganization/cda:name[1])"/>
        </xsl:otherwise>
      </xsl:choose>
    </xsl:variable>
    <xsl:variable name="time">
      <xsl:call-template name="period">
        <xsl:with-param name="time" select="cda:effectiveTime"/>
      </xsl:call-template>
    </xsl:variable>
    <xsl:variable name="kind" select="normalize-space(cda:code/@displayName)"/>
    <xsl:value-of select="$kind"/>
    <xsl:if test="$kind and string($time)">, </xsl:if>
    <xsl:value-of select="$time"/>
    <xsl:if test="($kind or string($time)) and string($place)">, </xsl:if>
    <xsl:value-of select="$place"/>
  </xsl:template>

  <xsl:template name="period">
    <xsl:param name="time"/>
    <!-- An open end comes from some exporters as the year 0001. -->
    <xsl:variable name="end" select="$time/cda:high/@value[not(starts-with(., '0001'))]"/>
    <xsl:choose>
      <xsl:when test="$time/@value">
        <xsl:call-template name="date">
          <xsl:with-param name="value" select="$time/@value"/>
        </xsl:call-template>
      </xsl:when>
      <xsl:when test="$time/cda:low/@value and $end">
        <xsl:call-template name="date">
          <xsl:with-param name="value" select="$time/cda:low/@value"/>
        </xsl:call-template>
        <xsl:text> to </xsl:text>
        <xsl:call-template name="date">
          <xsl:with-param name="value" select="$end"/>
        </xsl:call-template>
      </xsl:when>
      <xsl:when test="$time/cda:low/@value">
        <xsl:text>since </xsl:text>
        <xsl:call-template name="date">
          <xsl:with-param name="value" select="$time/cda:low/@value"/>
        </xsl:call-template>
      </xsl:when>
      <xsl:when test="$end">
        <xsl:text>until </xsl:text>
        <xsl:call-template name="date">
          <xsl:with-param name="value" select="$end"/>
        </xsl:call-template>
      </xsl:when>
    </xsl:choose>
  </xsl:template>

  <!-- HL7 TS to YYYY-MM-DD HH:MM, at the precision given. Anything else is shown as sent: a reader can judge it. -->
  <xsl:template name="date">
    <xsl:param name="value"/>
    <xsl:variable name="local" select="substring-before(concat(translate(normalize-space($value), '-.', '++'), '+'), '+')"/>
    <xsl:choose>
      <xsl:when test="translate($local, $digits, '') != '' or string-length($local) &lt; 4 or string-length($local) &gt; 14">
        <xsl:value-of select="normalize-space($value)"/>
      </xsl:when>
      <xsl:otherwise>
        <xsl:value-of select="substring($local, 1, 4)"/>
        <xsl:if test="string-length($local) &gt;= 6"><xsl:value-of select="concat('-', substring($local, 5, 2))"/></xsl:if>
        <xsl:if test="string-length($local) &gt;= 8"><xsl:value-of select="concat('-', substring($local, 7, 2))"/></xsl:if>
        <xsl:if test="string-length($local) &gt;= 12">
          <xsl:value-of select="concat(' ', substring($local, 9, 2), ':', substring($local, 11, 2))"/>
        </xsl:if>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- ============================================================ sections -->

  <xsl:template match="cda:structuredBody" mode="contents">
    <xsl:if test="cda:component/cda:section">
      <nav aria-label="Contents">
        <ul>
          <xsl:for-each select="cda:component/cda:section">
            <li>
              <a href="#s{position()}"><xsl:apply-templates select="." mode="section-title"/></a>
            </li>
          </xsl:for-each>
        </ul>
      </nav>
    </xsl:if>
  </xsl:template>

  <xsl:template match="cda:structuredBody" mode="body">
    <xsl:for-each select="cda:component/cda:section">
      <xsl:apply-templates select="." mode="section">
        <xsl:with-param name="number" select="concat('s', position())"/>
        <xsl:with-param name="level" select="2"/>
      </xsl:apply-templates>
    </xsl:for-each>
    <xsl:if test="not(cda:component/cda:section)">
      <p class="note">This document has no sections.</p>
    </xsl:if>
  </xsl:template>

  <xsl:template match="cda:section" mode="section-title">
    <xsl:choose>
      <xsl:when test="normalize-space(cda:title)"><xsl:value-of select="normalize-space(cda:title)"/></xsl:when>
      <xsl:when test="normalize-space(cda:code/@displayName)">
        <xsl:value-of select="normalize-space(cda:code/@displayName)"/>
      </xsl:when>
      <xsl:otherwise>Untitled section</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template match="cda:section" mode="section">
    <xsl:param name="number"/>
    <xsl:param name="level"/>
    <section id="{$number}" aria-labelledby="{$number}-title">
      <xsl:element name="h{$level}">
        <xsl:attribute name="id"><xsl:value-of select="concat($number, '-title')"/></xsl:attribute>
        <xsl:apply-templates select="." mode="section-title"/>
      </xsl:element>
      <xsl:choose>
        <xsl:when test="normalize-space(cda:text) or cda:text//cda:renderMultiMedia">
          <div class="narrative">
            <xsl:apply-templates select="cda:text/node()" mode="narrative">
              <xsl:with-param name="heading" select="concat($number, '-title')"/>
            </xsl:apply-templates>
          </div>
        </xsl:when>
        <xsl:when test="not(cda:component/cda:section)">
          <p class="note">No narrative in this section.</p>
        </xsl:when>
      </xsl:choose>
      <xsl:for-each select="cda:component/cda:section">
        <xsl:apply-templates select="." mode="section">
          <xsl:with-param name="number" select="concat($number, '-', position())"/>
          <!-- HTML ends at h6; anything deeper shares it. -->
          <xsl:with-param name="level" select="$level + ($level &lt; 6)"/>
        </xsl:apply-templates>
      </xsl:for-each>
    </section>
  </xsl:template>

  <!-- ============================================================ narrative: the allow-list -->
  <!-- $heading is the id of the section's heading, which names the scrolling tables for a screen reader. -->

  <!-- Not on the list (or not in its place, like a cell outside a row): what is inside, without the element. -->
  <xsl:template match="*" mode="narrative">
    <xsl:param name="heading"/>
    <xsl:apply-templates mode="narrative">
      <xsl:with-param name="heading" select="$heading"/>
    </xsl:apply-templates>
  </xsl:template>

  <xsl:template match="text()" mode="narrative"><xsl:value-of select="."/></xsl:template>
  <xsl:template match="comment() | processing-instruction()" mode="narrative"/>

  <!-- An HTML p ends at the first block inside it, a div does not. -->
  <xsl:template match="cda:paragraph" mode="narrative">
    <xsl:param name="heading"/>
    <xsl:variable name="element">
      <xsl:choose>
        <xsl:when test=".//cda:paragraph | .//cda:list | .//cda:table">div</xsl:when>
        <xsl:otherwise>p</xsl:otherwise>
      </xsl:choose>
    </xsl:variable>
    <xsl:element name="{$element}">
      <xsl:if test="$element = 'div'"><xsl:attribute name="class">paragraph</xsl:attribute></xsl:if>
      <xsl:call-template name="anchor"/>
      <xsl:call-template name="styled">
        <xsl:with-param name="heading" select="$heading"/>
      </xsl:call-template>
    </xsl:element>
  </xsl:template>

  <xsl:template match="cda:caption" mode="narrative">
    <strong class="caption"><xsl:apply-templates mode="narrative"/></strong>
    <xsl:text> </xsl:text>
  </xsl:template>

  <xsl:template match="cda:list" mode="narrative">
    <xsl:param name="heading"/>
    <xsl:if test="normalize-space(cda:caption)">
      <p class="caption"><xsl:apply-templates select="cda:caption/node()" mode="narrative"/></p>
    </xsl:if>
    <xsl:choose>
      <xsl:when test="@listType = 'ordered'">
        <ol>
          <xsl:call-template name="anchor"/>
          <xsl:call-template name="numbering"/>
          <xsl:call-template name="list-items"><xsl:with-param name="heading" select="$heading"/></xsl:call-template>
        </ol>
      </xsl:when>
      <xsl:otherwise>
        <ul>
          <xsl:call-template name="anchor"/>
          <xsl:call-template name="list-items"><xsl:with-param name="heading" select="$heading"/></xsl:call-template>
        </ul>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- Strays inside a list become items of their own, so that no word is lost. -->
  <xsl:template name="list-items">
    <xsl:param name="heading"/>
    <xsl:for-each select="*[not(self::cda:caption)] | text()[normalize-space()]">
      <li>
        <xsl:choose>
          <xsl:when test="self::cda:item">
            <xsl:call-template name="anchor"/>
            <xsl:call-template name="styled"><xsl:with-param name="heading" select="$heading"/></xsl:call-template>
          </xsl:when>
          <xsl:otherwise>
            <xsl:apply-templates select="." mode="narrative">
              <xsl:with-param name="heading" select="$heading"/>
            </xsl:apply-templates>
          </xsl:otherwise>
        </xsl:choose>
      </li>
    </xsl:for-each>
  </xsl:template>

  <xsl:template name="numbering">
    <xsl:variable name="codes" select="concat(' ', normalize-space(@styleCode), ' ')"/>
    <xsl:choose>
      <xsl:when test="contains($codes, ' LittleRoman ')"><xsl:attribute name="class">little-roman</xsl:attribute></xsl:when>
      <xsl:when test="contains($codes, ' BigRoman ')"><xsl:attribute name="class">big-roman</xsl:attribute></xsl:when>
      <xsl:when test="contains($codes, ' LittleAlpha ')"><xsl:attribute name="class">little-alpha</xsl:attribute></xsl:when>
      <xsl:when test="contains($codes, ' BigAlpha ')"><xsl:attribute name="class">big-alpha</xsl:attribute></xsl:when>
    </xsl:choose>
  </xsl:template>

  <!-- Tables. A wide one scrolls inside its frame, which can be reached and scrolled with the keyboard. -->
  <xsl:template match="cda:table" mode="narrative">
    <xsl:param name="heading"/>
    <!-- Text that has no place in a table is shown before it; a browser would move it there anyway. -->
    <xsl:variable name="groups" select="cda:thead | cda:tbody | cda:tfoot"/>
    <xsl:variable name="rows" select="cda:tr | $groups/cda:tr"/>
    <xsl:for-each select="(text() | *[not(self::cda:caption or self::cda:col or self::cda:colgroup or self::cda:thead
                              or self::cda:tbody or self::cda:tfoot or self::cda:tr)]
                          | $groups/text() | $groups/*[not(self::cda:tr)]
                          | $rows/text() | $rows/*[not(self::cda:th or self::cda:td)])[normalize-space()]">
      <div class="paragraph">
        <xsl:apply-templates select="." mode="narrative">
          <xsl:with-param name="heading" select="$heading"/>
        </xsl:apply-templates>
      </div>
    </xsl:for-each>
    <xsl:if test="$rows or cda:caption">
      <div class="table" role="region" tabindex="0">
        <xsl:if test="$heading">
          <xsl:attribute name="aria-labelledby"><xsl:value-of select="$heading"/></xsl:attribute>
        </xsl:if>
        <table>
          <xsl:call-template name="anchor"/>
          <xsl:if test="normalize-space(cda:caption)">
            <caption><xsl:apply-templates select="cda:caption/node()" mode="narrative"/></caption>
          </xsl:if>
          <xsl:for-each select="cda:thead | cda:tbody | cda:tfoot | cda:tr">
            <xsl:apply-templates select="." mode="table">
              <xsl:with-param name="heading" select="$heading"/>
            </xsl:apply-templates>
          </xsl:for-each>
        </table>
      </div>
    </xsl:if>
  </xsl:template>

  <xsl:template match="cda:thead" mode="table">
    <xsl:param name="heading"/>
    <xsl:if test="cda:tr">
      <thead>
        <xsl:apply-templates select="cda:tr" mode="table"><xsl:with-param name="heading" select="$heading"/></xsl:apply-templates>
      </thead>
    </xsl:if>
  </xsl:template>

  <xsl:template match="cda:tbody" mode="table">
    <xsl:param name="heading"/>
    <xsl:if test="cda:tr">
      <tbody>
        <xsl:apply-templates select="cda:tr" mode="table"><xsl:with-param name="heading" select="$heading"/></xsl:apply-templates>
      </tbody>
    </xsl:if>
  </xsl:template>

  <xsl:template match="cda:tfoot" mode="table">
    <xsl:param name="heading"/>
    <xsl:if test="cda:tr">
      <tfoot>
        <xsl:apply-templates select="cda:tr" mode="table"><xsl:with-param name="heading" select="$heading"/></xsl:apply-templates>
      </tfoot>
    </xsl:if>
  </xsl:template>

  <xsl:template match="cda:tr" mode="table">
    <xsl:param name="heading"/>
    <tr>
      <xsl:call-template name="anchor"/>
      <xsl:apply-templates select="cda:th | cda:td" mode="table">
        <xsl:with-param name="heading" select="$heading"/>
      </xsl:apply-templates>
    </tr>
  </xsl:template>

  <xsl:template match="cda:th" mode="table">
    <xsl:param name="heading"/>
    <th>
      <xsl:call-template name="anchor"/>
      <xsl:call-template name="scope"/>
      <xsl:call-template name="spans"/>
      <xsl:call-template name="styled"><xsl:with-param name="heading" select="$heading"/></xsl:call-template>
    </th>
  </xsl:template>

  <xsl:template match="cda:td" mode="table">
    <xsl:param name="heading"/>
    <td>
      <xsl:call-template name="anchor"/>
      <xsl:call-template name="spans"/>
      <xsl:call-template name="styled"><xsl:with-param name="heading" select="$heading"/></xsl:call-template>
    </td>
  </xsl:template>

  <!-- Exporters hardly ever say which way a header cell points; a screen reader needs it to read a cell with its name. -->
  <xsl:template name="scope">
    <xsl:attribute name="scope">
      <xsl:choose>
        <xsl:when test="@scope = 'row' or @scope = 'col' or @scope = 'rowgroup' or @scope = 'colgroup'">
          <xsl:value-of select="@scope"/>
        </xsl:when>
        <xsl:when test="../../self::cda:thead or not(../cda:td)">col</xsl:when>
        <xsl:otherwise>row</xsl:otherwise>
      </xsl:choose>
    </xsl:attribute>
  </xsl:template>

  <xsl:template name="spans">
    <xsl:if test="@colspan != '' and string-length(@colspan) &lt; 4 and translate(@colspan, $digits, '') = ''
                  and number(@colspan) &gt; 1">
      <xsl:attribute name="colspan"><xsl:value-of select="number(@colspan)"/></xsl:attribute>
    </xsl:if>
    <xsl:if test="@rowspan != '' and string-length(@rowspan) &lt; 4 and translate(@rowspan, $digits, '') = ''
                  and number(@rowspan) &gt; 1">
      <xsl:attribute name="rowspan"><xsl:value-of select="number(@rowspan)"/></xsl:attribute>
    </xsl:if>
  </xsl:template>

  <!-- Revisions: deleted text must not read as if it still held. [CDA R2 §4.3.5.3 content/@revised] -->
  <xsl:template match="cda:content" mode="narrative">
    <xsl:param name="heading"/>
    <xsl:choose>
      <xsl:when test="@revised = 'delete'">
        <del><xsl:call-template name="anchor"/><xsl:call-template name="styled"><xsl:with-param name="heading" select="$heading"/></xsl:call-template></del>
      </xsl:when>
      <xsl:when test="@revised = 'insert'">
        <ins><xsl:call-template name="anchor"/><xsl:call-template name="styled"><xsl:with-param name="heading" select="$heading"/></xsl:call-template></ins>
      </xsl:when>
      <xsl:when test="@ID and $links-to-itself">
        <span><xsl:call-template name="anchor"/><xsl:call-template name="styled"><xsl:with-param name="heading" select="$heading"/></xsl:call-template></span>
      </xsl:when>
      <xsl:otherwise>
        <xsl:call-template name="styled"><xsl:with-param name="heading" select="$heading"/></xsl:call-template>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- The children of the current element, wrapped for each known styleCode; three steps, so that they combine. -->
  <xsl:template name="styled">
    <xsl:param name="heading"/>
    <xsl:choose>
      <xsl:when test="not(@styleCode) or .//cda:table or .//cda:list or .//cda:paragraph">
        <xsl:apply-templates mode="narrative"><xsl:with-param name="heading" select="$heading"/></xsl:apply-templates>
      </xsl:when>
      <xsl:when test="contains(concat(' ', normalize-space(@styleCode), ' '), ' Bold ')
                      or contains(concat(' ', normalize-space(@styleCode), ' '), ' BoldItalics ')">
        <strong><xsl:call-template name="styled-italics"/></strong>
      </xsl:when>
      <xsl:otherwise><xsl:call-template name="styled-italics"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="styled-italics">
    <xsl:variable name="codes" select="concat(' ', normalize-space(@styleCode), ' ')"/>
    <xsl:choose>
      <xsl:when test="contains($codes, ' Italics ') or contains($codes, ' BoldItalics ')
                      or contains($codes, ' Emphasis ')">
        <em><xsl:call-template name="styled-underline"/></em>
      </xsl:when>
      <xsl:otherwise><xsl:call-template name="styled-underline"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="styled-underline">
    <xsl:choose>
      <xsl:when test="contains(concat(' ', normalize-space(@styleCode), ' '), ' Underline ')">
        <span class="underline"><xsl:apply-templates mode="narrative"/></span>
      </xsl:when>
      <xsl:otherwise><xsl:apply-templates mode="narrative"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template match="cda:br" mode="narrative"><br/></xsl:template>
  <xsl:template match="cda:sub" mode="narrative"><sub><xsl:apply-templates mode="narrative"/></sub></xsl:template>
  <xsl:template match="cda:sup" mode="narrative"><sup><xsl:apply-templates mode="narrative"/></sup></xsl:template>

  <!-- A link that fails the check stays readable as text. Links inside links are not HTML. -->
  <xsl:template match="cda:linkHtml" mode="narrative">
    <xsl:variable name="plain" select="translate(@href, $uri-characters, '') = '' and string-length(@href) &lt; 2048
                                       and not(ancestor::cda:linkHtml)"/>
    <xsl:choose>
      <xsl:when test="$plain and (starts-with(@href, 'http://') or starts-with(@href, 'https://'))">
        <a href="{@href}" rel="noopener noreferrer nofollow">
          <xsl:apply-templates mode="narrative"/>
          <xsl:if test="not(normalize-space())"><xsl:value-of select="@href"/></xsl:if>
        </a>
      </xsl:when>
      <xsl:when test="$plain and starts-with(@href, '#') and string-length(@href) &gt; 1
                      and translate(substring(@href, 2), $name-characters, '') = ''">
        <a href="#ref-{substring(@href, 2)}" rel="noopener noreferrer nofollow">
          <xsl:apply-templates mode="narrative"/>
          <xsl:if test="not(normalize-space())">see above or below</xsl:if>
        </a>
      </xsl:when>
      <xsl:otherwise><xsl:apply-templates mode="narrative"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template match="cda:footnote" mode="narrative">
    <span class="footnote">
      <xsl:call-template name="anchor"/>
      <xsl:text>[</xsl:text><xsl:apply-templates mode="narrative"/><xsl:text>]</xsl:text>
    </span>
  </xsl:template>

  <xsl:template match="cda:footnoteRef" mode="narrative">
    <xsl:if test="@IDREF != '' and translate(@IDREF, $name-characters, '') = '' and not(ancestor::cda:linkHtml)">
      <sup><a href="#ref-{@IDREF}">note</a></sup>
    </xsl:if>
  </xsl:template>

  <!-- Images may be huge, remote or active (SVG); the words around them are what this page is for. -->
  <xsl:template match="cda:renderMultiMedia" mode="narrative">
    <span class="no-image">
      <xsl:text>[image not shown</xsl:text>
      <xsl:if test="normalize-space()">
        <xsl:text>: </xsl:text>
        <xsl:value-of select="normalize-space()"/>
      </xsl:if>
      <xsl:text>]</xsl:text>
    </span>
  </xsl:template>

  <!-- The prefix keeps an ID of the document from taking the place of an id of the page. -->
  <xsl:template name="anchor">
    <xsl:if test="$links-to-itself and @ID != '' and string-length(@ID) &lt; 128
                  and translate(@ID, $name-characters, '') = ''">
      <xsl:attribute name="id"><xsl:value-of select="concat('ref-', @ID)"/></xsl:attribute>
    </xsl:if>
  </xsl:template>

  <!-- ============================================================ a body that is a file -->

  <xsl:template match="cda:nonXMLBody" mode="body">
    <xsl:variable name="type" select="translate(normalize-space(substring-before(
        concat(cda:text/@mediaType, ';'), ';')), $upper, $lower)"/>
    <xsl:variable name="encoded" select="cda:text/@representation = 'B64'"/>
    <xsl:variable name="plain">
      <xsl:if test="$type = 'text/plain' or $type = ''">
        <xsl:choose>
          <xsl:when test="$encoded">
            <xsl:call-template name="decoded-text"><xsl:with-param name="base64" select="cda:text"/></xsl:call-template>
          </xsl:when>
          <xsl:otherwise><xsl:value-of select="cda:text"/></xsl:otherwise>
        </xsl:choose>
      </xsl:if>
    </xsl:variable>
    <section aria-label="Content">
      <xsl:choose>
        <xsl:when test="normalize-space($plain)"><pre><xsl:value-of select="translate($plain, '&#13;', '')"/></pre></xsl:when>
        <xsl:when test="cda:text/cda:reference/@value and not(normalize-space(cda:text))">
          <p class="note">The content of this document is a separate file that was not sent along. It is
            <xsl:call-template name="kind-of-file"><xsl:with-param name="type" select="$type"/></xsl:call-template>.</p>
        </xsl:when>
        <xsl:otherwise>
          <p class="note">The content of this document is
            <xsl:call-template name="kind-of-file"><xsl:with-param name="type" select="$type"/></xsl:call-template>.
            It is not shown here, but it can be downloaded.</p>
        </xsl:otherwise>
      </xsl:choose>
    </section>
  </xsl:template>

  <xsl:template name="kind-of-file">
    <xsl:param name="type"/>
    <xsl:choose>
      <xsl:when test="$type = 'application/pdf'">a PDF file</xsl:when>
      <xsl:when test="$type = 'text/html' or $type = 'application/xhtml+xml'">a web page (HTML)</xsl:when>
      <xsl:when test="$type = 'text/rtf' or $type = 'application/rtf'">a text document (RTF)</xsl:when>
      <xsl:when test="$type = 'application/msword'
                      or $type = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'">a Word document</xsl:when>
      <xsl:when test="$type = 'image/jpeg'">a picture (JPEG)</xsl:when>
      <xsl:when test="$type = 'image/png'">a picture (PNG)</xsl:when>
      <xsl:when test="$type = 'image/gif'">a picture (GIF)</xsl:when>
      <xsl:when test="$type = 'image/tiff'">a scanned picture (TIFF)</xsl:when>
      <xsl:when test="$type = 'text/plain' or $type = ''">a text file</xsl:when>
      <xsl:otherwise>a file of the type <xsl:value-of select="$type"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- Base64 to text through percent-encoding: XSLT 1.0 cannot make characters from bytes, str:decode-uri can.
       Empty when the bytes are not UTF-8, the text is too long, or the function is not registered. -->
  <xsl:template name="decoded-text">
    <xsl:param name="base64"/>
    <xsl:variable name="packed" select="translate($base64, ' &#9;&#10;&#13;', '')"/>
    <xsl:if test="string-length($packed) &lt;= $base64-limit
                  and translate($packed, concat($base64-alphabet, '='), '') = ''
                  and function-available('str:decode-uri')">
      <xsl:variable name="escaped">
        <xsl:call-template name="base64-to-percent"><xsl:with-param name="base64" select="$packed"/></xsl:call-template>
      </xsl:variable>
      <xsl:value-of select="str:decode-uri($escaped)"/>
    </xsl:if>
  </xsl:template>

  <!-- Halves the input, so that the depth of templates stays at the logarithm of its length. -->
  <xsl:template name="base64-to-percent">
    <xsl:param name="base64"/>
    <xsl:variable name="length" select="string-length($base64)"/>
    <xsl:choose>
      <xsl:when test="$length &gt; 4">
        <xsl:variable name="half" select="4 * ceiling($length div 8)"/>
        <xsl:call-template name="base64-to-percent">
          <xsl:with-param name="base64" select="substring($base64, 1, $half)"/>
        </xsl:call-template>
        <xsl:call-template name="base64-to-percent">
          <xsl:with-param name="base64" select="substring($base64, $half + 1)"/>
        </xsl:call-template>
      </xsl:when>
      <xsl:when test="$length &gt; 1">
        <xsl:variable name="a" select="string-length(substring-before($base64-alphabet, substring($base64, 1, 1)))"/>
        <xsl:variable name="b" select="string-length(substring-before($base64-alphabet, substring($base64, 2, 1)))"/>
        <xsl:variable name="c" select="string-length(substring-before($base64-alphabet, substring($base64, 3, 1)))"/>
        <xsl:variable name="d" select="string-length(substring-before($base64-alphabet, substring($base64, 4, 1)))"/>
        <xsl:call-template name="percent"><xsl:with-param name="byte" select="4 * $a + floor($b div 16)"/></xsl:call-template>
        <xsl:if test="translate(substring($base64, 3, 1), '=', '')">
          <xsl:call-template name="percent">
            <xsl:with-param name="byte" select="16 * ($b mod 16) + floor($c div 4)"/>
          </xsl:call-template>
        </xsl:if>
        <xsl:if test="translate(substring($base64, 4, 1), '=', '')">
          <xsl:call-template name="percent"><xsl:with-param name="byte" select="64 * ($c mod 4) + $d"/></xsl:call-template>
        </xsl:if>
      </xsl:when>
    </xsl:choose>
  </xsl:template>

  <!-- Control characters other than tab and line feed become a blank: a NUL would end the text early. -->
  <xsl:template name="percent">
    <xsl:param name="byte"/>
    <xsl:choose>
      <xsl:when test="$byte = 13"/>
      <xsl:when test="$byte &lt; 32 and $byte != 9 and $byte != 10">%20</xsl:when>
      <xsl:otherwise>
        <xsl:text>%</xsl:text>
        <xsl:value-of select="substring('0123456789ABCDEF', floor($byte div 16) + 1, 1)"/>
        <xsl:value-of select="substring('0123456789ABCDEF', $byte mod 16 + 1, 1)"/>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- ============================================================ looks -->
  <!-- Contrast of text is at least 7:1 in both schemes, of quiet text at least 4.5:1. [WCAG 2.1 §1.4.3] -->
  <xsl:template name="style"><xsl:text>
:root { color-scheme: light dark; --ink: #1b2126; --quiet: #55606a; --paper: #ffffff; --panel: #f2f5f7;
  --line: #c5cdd4; --accent: #0b5394; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecef; --quiet: #a9b4bd; --paper: #14181b; --panel: #1e252a;
  --line: #46525b; --accent: #8cc2f5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; overflow-wrap: anywhere; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 1.5rem 0 .5rem; text-wrap: balance; }
h1 { font-size: 1.6rem; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; border-bottom: 2px solid var(--line); padding-bottom: .25rem; margin-top: 2.25rem; }
h3 { font-size: 1.1rem; }
h4, h5, h6 { font-size: 1rem; }
p, ul, ol, .paragraph { margin: .5rem 0; }
ul, ol { padding-left: 1.5rem; }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible, .table:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
dl { margin: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); gap: .75rem 1.5rem; }
dt { font-size: .875rem; color: var(--quiet); }
dd { margin: 0; }
.patient { background: var(--panel); border-left: .3rem solid var(--accent); border-radius: .25rem; padding: 1rem; }
.patient-name { font-size: 1.35rem; font-weight: 650; margin: 0 0 .5rem; }
.facts { margin: 1rem 0; padding: 0 1rem 0 1.3rem; }
.quiet { color: var(--quiet); font-size: .875rem; }
nav { border-block: 1px solid var(--line); padding: .75rem 0; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .5rem; margin: 0; padding: 0; }
nav a { display: block; padding: .35rem .75rem; border: 1px solid var(--line); border-radius: 1rem; text-decoration: none; }
nav a:hover { text-decoration: underline; }
.note { color: var(--quiet); font-style: italic; }
.caption, caption { font-weight: 650; text-align: left; }
caption { padding: .35rem .6rem; }
.underline { text-decoration: underline; }
.footnote { font-size: .875rem; color: var(--quiet); }
.no-image { border: 1px dashed var(--line); padding: 0 .35rem; color: var(--quiet); }
.little-roman { list-style-type: lower-roman; } .big-roman { list-style-type: upper-roman; }
.little-alpha { list-style-type: lower-alpha; } .big-alpha { list-style-type: upper-alpha; }
.table { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; width: 100%; overflow-wrap: break-word; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--line); padding: .4rem .6rem; text-align: left; vertical-align: top; min-width: 5.5rem; }
td td, td th { min-width: 0; }
th { background: var(--panel); font-weight: 650; }
li:has(> .table:first-child) { list-style: none; }
td > p:first-child, td > ul:first-child, td > ol:first-child, td > .table:first-child { margin-top: 0; }
td > p:last-child, td > ul:last-child, td > ol:last-child, td > .table:last-child { margin-bottom: 0; }
pre { white-space: pre-wrap; background: var(--panel); padding: 1rem; border-radius: .25rem;
  font: .95rem/1.5 ui-monospace, "DejaVu Sans Mono", "Liberation Mono", monospace; }
@media (max-width: 30rem) { body { padding: .75rem; } h1 { font-size: 1.35rem; } .facts { padding: 0 .75rem; } }
@media print {
  :root { color-scheme: light; --ink: #000; --quiet: #444; --paper: #fff; --panel: #f2f2f2; --line: #999; --accent: #000; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  nav { display: none; }
  .table { overflow: visible; }
  h2, h3, h4, thead { break-after: avoid; }
  tr, .patient { break-inside: avoid; }
}
</xsl:text></xsl:template>

</xsl:stylesheet>
