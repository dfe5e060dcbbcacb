// Names of the United States: short forms and spellings of English and Spanish given names, names people bear, and
// family names that many do.

#include "gateway/patients/names.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace gateway::patients {
namespace {

struct Forms {
  std::string_view full, forms;
};

/// A form may stand under several full names: alex, pat, chris.
constexpr Forms table[] = {
    {"aaron", "ron ronnie"},
    {"abigail", "abby abbie gail"},
    {"abraham", "abe bram"},
    {"adelaide", "addie ada heidi"},
    {"alan", "al allan allen alen"},
    {"albert", "al bert bertie"},
    {"alberto", "beto berto tito"},
    {"alejandra", "ale sandra jandra"},
    {"alejandro", "alex ale jano jandro"},
    {"alexander", "alex al alec sandy xander lex aleksander"},
    {"alexandra", "alex alexa lexi lexie sandra sandy aleksandra"},
    {"alfred", "al fred freddy alf"},
    {"alfredo", "fredo fredy freddy"},
    {"alice", "allie alyce"},
    {"alicia", "licha alisha alecia"},
    {"allison", "ally allie alison allyson alyson"},
    {"amanda", "mandy manda"},
    {"andrea", "andi andie drea"},
    {"andrew", "andy drew"},
    {"angela", "angie"},
    {"anna", "ann anne ana annie nan"},
    {"anthony", "tony antony toni"},
    {"antonio", "tono tony tonio toni"},
    {"arthur", "art artie arturo"},
    {"arturo", "turo art"},
    {"barbara", "barb barbie babs"},
    {"beatrice", "bea trixie bee"},
    {"beatriz", "betty bea beti"},
    {"benjamin", "ben benny benji benjy"},
    {"bernard", "bernie barney"},
    {"brian", "bryan bryon"},
    {"bradley", "brad"},
    {"brandon", "brandan branden"},
    {"caitlin", "kaitlyn katelyn caitlyn kate"},
    {"carl", "karl"},
    {"carla", "karla"},
    {"carlos", "carlitos charly"},
    {"caroline", "carrie"},
    {"carolyn", "carrie lynn"},
    {"cecilia", "ceci cecy celia"},
    {"charles", "charlie chuck chas charley chip"},
    {"charlotte", "charlie lottie char"},
    {"christina", "chris chrissy kristina tina christy"},
    {"christine", "chris chrissy kristine tina christy"},
    {"christopher", "chris kris topher kit kristopher cristopher"},
    {"cynthia", "cindy cyndi"},
    {"concepcion", "concha conchita"},
    {"consuelo", "chelo"},
    {"daniel", "dan danny dani"},
    {"danielle", "dani danni"},
    {"david", "dave davey davy"},
    {"deborah", "deb debbie debra debby"},
    {"dennis", "denny denis"},
    {"dolores", "lola loli lolita"},
    {"donald", "don donnie donny"},
    {"dorothy", "dot dottie dory dolly"},
    {"douglas", "doug"},
    {"edgar", "ed eddie"},
    {"eduardo", "lalo edu eddie"},
    {"edward", "ed eddie ted teddy ned ward"},
    {"edwin", "ed eddie win"},
    {"eleanor", "ellie nell nora elinor lenore"},
    {"elizabeth", "liz beth betty lizzie eliza betsy libby bess elisabeth liza elsie bette"},
    {"emily", "em emmy millie"},
    {"enrique", "kike quique henry"},
    {"eric", "erik rick erick"},
    {"ernesto", "neto"},
    {"esperanza", "pera"},
    {"eugene", "gene"},
    {"evelyn", "evie eve"},
    {"fernando", "fer nando"},
    {"florence", "flo flossie"},
    {"frances", "fran frannie francie fanny"},
    {"francis", "frank fran"},
    {"francisca", "paca pancha panchita"},
    {"francisco", "paco pancho frank cisco kiko"},
    {"franklin", "frank frankie"},
    {"frederick", "fred freddy fredrick freddie rick"},
    {"gabriel", "gabe gabi gabo"},
    {"gabriela", "gaby gabi"},
    {"gabrielle", "gabby gaby"},
    {"geoffrey", "geoff jeff"},
    {"george", "georgie"},
    {"gerald", "jerry gerry jerald"},
    {"gerardo", "gera jerry"},
    {"gilbert", "gil bert"},
    {"gilberto", "beto gil"},
    {"graciela", "chela"},
    {"gregory", "greg gregg gregorio"},
    {"gregorio", "goyo"},
    {"guadalupe", "lupe lupita"},
    {"guillermo", "memo guille willie"},
    {"gustavo", "gus tavo"},
    {"harold", "hal harry"},
    {"helen", "nell nellie lena"},
    {"henry", "hank harry hal"},
    {"hortensia", "tencha"},
    {"humberto", "beto"},
    {"ignacio", "nacho"},
    {"irene", "renie"},
    {"isabel", "chavela isa izzy bella isabelle"},
    {"isabella", "bella izzy isa"},
    {"jacob", "jake jakob"},
    {"jacqueline", "jackie jacki jaclyn jacquelyn"},
    {"jaime", "jimmy"},
    {"james", "jim jimmy jamie jimmie jem"},
    {"janet", "jan"},
    {"janice", "jan"},
    {"jason", "jay"},
    {"jeanette", "jenny jeannette"},
    {"jeffrey", "jeff geoff jeffery"},
    {"jennifer", "jen jenny jenn jennie"},
    {"jeremy", "jerry"},
    {"jerome", "jerry"},
    {"jessica", "jess jessie"},
    {"jesus", "chuy chucho"},
    {"joan", "joanie"},
    {"joanne", "jo joann"},
    {"joel", "joey"},
    {"john", "jack johnny jon johnnie"},
    {"jonathan", "jon johnny jonathon johnathan nathan"},
    {"jorge", "coque george"},
    {"jose", "pepe joseph chepe joe joselito"},
    {"josefina", "pepa fina josie"},
    {"joseph", "joe joey jos"},
    {"josephine", "jo josie"},
    {"joshua", "josh"},
    {"juan", "juancho juanito"},
    {"judith", "judy judi jude"},
    {"julia", "jules"},
    {"julian", "jules"},
    {"katherine", "kathy kate katie kathryn catherine kay kat kitty cathy katharine cathryn"},
    {"kathleen", "kathy kate cathleen"},
    {"kristen", "kris kristin"},
    {"kenneth", "ken kenny"},
    {"kevin", "kev"},
    {"kimberly", "kim kimberley kimmy"},
    {"laura", "laurie lori"},
    {"lauren", "laurie loren"},
    {"lawrence", "larry lorenzo laurence lars"},
    {"leonard", "leo len lenny"},
    {"leonardo", "leo nardo"},
    {"leslie", "les lesley"},
    {"lillian", "lily lil lilly"},
    {"lorenzo", "lencho"},
    {"louis", "lou louie lewis"},
    {"louise", "lou lulu"},
    {"lucille", "lucy lu"},
    {"luis", "lucho luisito louis"},
    {"madeline", "maddie madelyn madeleine"},
    {"manuel", "manny manolo meme"},
    {"marcus", "marc mark marcos"},
    {"margaret", "maggie meg peggy marge margie greta madge peg rita"},
    {"margarita", "rita mago margo"},
    {"maria", "mary mari maruca"},
    {"marjorie", "marge margie"},
    {"martha", "marty patty"},
    {"martin", "marty"},
    {"mary", "molly polly mae mamie maria"},
    {"matthew", "matt matty mathew mateo"},
    {"mauricio", "mau"},
    {"melissa", "missy mel lissa"},
    {"mercedes", "meche"},
    {"michael", "mike mick mickey mikey micheal mitch miguel"},
    {"michelle", "shelly micki michele"},
    {"miguel", "mike migue"},
    {"mildred", "millie"},
    {"mitchell", "mitch"},
    {"nancy", "nan"},
    {"natalie", "nat nataly"},
    {"nathan", "nate nat"},
    {"nathaniel", "nate nathan nat"},
    {"nicholas", "nick nicky nico nicolas"},
    {"nicole", "nikki nicky niki"},
    {"norberto", "beto"},
    {"octavio", "tavo"},
    {"oliver", "ollie"},
    {"pamela", "pam"},
    {"patricia", "pat patty tricia trish patti paty"},
    {"patrick", "pat paddy rick"},
    {"peter", "pete"},
    {"philip", "phil phillip pip"},
    {"priscilla", "cilla pris"},
    {"rachel", "rachael rae shelly"},
    {"rafael", "rafa"},
    {"ramon", "moncho"},
    {"randall", "randy"},
    {"raymond", "ray"},
    {"raul", "rulo"},
    {"rebecca", "becky becca rebekah"},
    {"refugio", "cuca cuco"},
    {"ricardo", "rick ricky richie rica"},
    {"richard", "rick dick rich ricky richie dickie"},
    {"robert", "bob rob bobby robbie bert bobbie"},
    {"roberto", "beto rob robert bobby"},
    {"rodolfo", "rudy fito"},
    {"rodrigo", "rigo"},
    {"roger", "rodge"},
    {"rogelio", "roger"},
    {"ronald", "ron ronnie ronny"},
    {"rosa", "rose rosita"},
    {"rosario", "chayo charo"},
    {"rosemary", "rose rosie romy"},
    {"rudolph", "rudy"},
    {"russell", "russ rusty"},
    {"salvador", "chava sal"},
    {"samantha", "sam sammie"},
    {"samuel", "sam sammy"},
    {"sandra", "sandy sondra"},
    {"santiago", "chago santi"},
    {"sara", "sarah sally sadie"},
    {"sergio", "checo"},
    {"sharon", "shari sheri"},
    {"shirley", "shirl"},
    {"socorro", "coco"},
    {"sophia", "sofia sophie"},
    {"stanley", "stan"},
    {"stephanie", "steph stefanie steffi"},
    {"stephen", "steve steven stevie stephan esteban"},
    {"susan", "sue susie suzy susana"},
    {"sylvia", "silvia"},
    {"teresa", "terry theresa tere tess tessa teri"},
    {"terrence", "terry terrance"},
    {"theodore", "ted teddy theo"},
    {"thomas", "tom tommy thom"},
    {"timothy", "tim timmy"},
    {"tomas", "tommy tom"},
    {"tracy", "tracey traci"},
    {"valentina", "vale tina val"},
    {"valerie", "val"},
    {"vanessa", "nessa"},
    {"veronica", "vero ronnie roni"},
    {"vicente", "chente"},
    {"victor", "vic vick"},
    {"victoria", "vicky tori vicki vickie"},
    {"vincent", "vince vinny vinnie"},
    {"virginia", "ginny ginger gina"},
    {"walter", "walt wally"},
    {"wesley", "wes"},
    {"william", "bill will billy willie liam willy bil"},
    {"zachary", "zach zack zachariah"},
};

/// Names of the tables of births that stand in no row above.
constexpr std::string_view further =
    "aaliyah adam addison adrian jeremiah joanna julie mariah suzanne valeria helena carol kristina adriana agnes "
    "aiden aidan aisha aileen alan aldo alejandra alfonso alma alondra alvaro alvin alyssa amber amelia amir amy "
    "ana andre andres angel angelica angelina anita antoinette april araceli ariana ariel armando arlene ashley "
    "ashton asher aubrey audrey aurora austin autumn ava avery axel ayden barry beverly blanca bonnie brayden "
    "brenda brent brett brianna bridget brittany brooke bruce bryce byron caleb calvin cameron camila carmen "
    "carter cassandra catalina cesar chad chase chelsea cheryl chloe claire clara clarence claudia clayton "
    "clifford clyde cody colin colleen collin connie connor cooper corey courtney craig cristian cristina crystal "
    "curtis daisy dale damian dana daniela darius darlene darrell darryl dawn dean delia demetrius denise derek "
    "derrick devin devon diana diane diego dominic donna doris dustin dwayne dwight dylan earl ebony edith edna "
    "eileen elaine elena elias elijah ella ellen elliott eloise elmer elvira emilia emiliano emma emmanuel erica "
    "erika erin ernest esmeralda esther ethan eva evan everett ezra fabian faith fatima felicia felipe felix "
    "fiona francesca gary genesis gerard gianna glenda glenn gloria gordon grace graciela grant greta guy "
    "gwendolyn hailey haley hannah harper harriet harvey hazel heather hector heidi herbert herman hilda holly "
    "howard hugo hunter ian ida ines ingrid irma isaac isaiah ismael israel ivan jack jackson jade jaden jadon "
    "jaiden jaidon jaidyn jamal jasmine javier jayden jaydon jayla jaylen jaylin jaylon jean jenna jerald jesse "
    "jill joanna joaquin jocelyn jody johanna jordan josiah joy joyce juana juanita julio julius june justin "
    "kaden kadin kaiden kara karen karina kate kathleen katie kayden kayla kaylee kayleigh keith kelly kelsey "
    "kendra kendall kirk kristen kurt kyla kyle kylie lance latoya laurel leah leo leon leona leroy leticia levi "
    "liam liliana lina linda lisa lloyd logan lois lola lonnie lorena lorraine lucas lucia lucy luke luna luz "
    "lydia lynn mabel mackenzie makayla malik marc marcela marcia marco maribel maricela marie marilyn marina "
    "mario marisol mark marlene marlon marshall marta marvin mason maureen maurice max maximiliano maxwell maya "
    "melanie melvin mia mila miles milton minnie miranda miriam mohammed moises molly monica monique morgan moses "
    "muhammad myra naomi natalia natasha neil nelson nina noah nora norma norman nolan olga olive olivia omar "
    "oscar owen pablo paige paola patsy paul paula pauline pearl pedro penelope peyton phyllis preston rafaela "
    "ralph ramona ramiro raquel raymundo reagan regina rene rhonda riley rita robin robyn rocio rodney roland "
    "roman ronan rory rosalie rosalinda rose ross roxanne roy ruben ruby ruth ryan sabrina sadie sally santos "
    "savannah scarlett scott sean sebastian selena serena seth shane shannon shaun shawn sheila shelby sheldon "
    "sherry sidney sierra silvia simon skylar sofia sonia spencer stacy stella summer sydney tamara tammy tanya "
    "tara tatiana taylor terri tiffany tina todd travis trevor tristan troy tyler tyrone ulises ursula vera "
    "vernon viola violet vivian wade wanda warren wayne wendy whitney wilfredo willow wyatt xavier ximena yadira "
    "yesenia yolanda yvette yvonne zoe zoey";

/// Each of more than a thousandth of all people, or nearly.
constexpr std::string_view common_families =
    "smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson "
    "anderson thomas taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis "
    "robinson walker young allen king wright scott torres nguyen hill flores green adams nelson baker hall rivera "
    "campbell mitchell carter roberts gomez phillips evans turner diaz parker cruz edwards collins reyes stewart "
    "morris morales murphy cook rogers gutierrez ortiz morgan cooper peterson bailey reed kelly howard ramos kim "
    "cox ward richardson watson brooks chavez wood james bennett gray mendoza ruiz hughes price alvarez castillo "
    "sanders patel myers long ross foster jimenez";

template <class Take>
void each_word(std::string_view words, Take take) {
  while (!words.empty()) {
    const auto blank = std::min(words.find(' '), words.size());
    if (blank > 0) take(std::string(words.substr(0, blank)));
    words.remove_prefix(std::min(blank + 1, words.size()));
  }
}

struct Known {
  std::unordered_map<std::string, Words> full_of;  ///< by form
  std::unordered_set<std::string> borne, common;

  Known() {
    for (const auto& [full, forms] : table) {
      borne.emplace(full);
      full_of[std::string(full)].emplace_back(full);
      each_word(forms, [&](std::string form) {
        borne.insert(form);
        full_of[form].emplace_back(full);
      });
    }
    each_word(further, [&](std::string name) { borne.insert(std::move(name)); });
    each_word(common_families, [&](std::string name) { common.insert(std::move(name)); });
  }
};

const Known& known() {
  static const Known all;
  return all;
}

}  // namespace

Words full_names(const std::string& given) {
  const auto found = known().full_of.find(given);
  return found == known().full_of.end() ? Words{given} : found->second;
}

bool is_borne(const std::string& given) { return known().borne.contains(given); }
bool is_common_family(const std::string& family) { return known().common.contains(family); }

}  // namespace gateway::patients
