#include "gateway/bench/census.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

namespace gateway::bench {
namespace {

/// Names by how many of 100,000 bear them, as the census of 2010 and a century of births have them, rounded.
constexpr std::string_view families =
    "Smith 828 Johnson 655 Williams 551 Brown 487 Jones 483 Garcia 395 Miller 394 Davis 379 Rodriguez 371 "
    "Martinez 359 Hernandez 354 Lopez 296 Gonzalez 285 Wilson 272 Anderson 266 Thomas 256 Taylor 255 Moore 246 "
    "Jackson 240 Martin 238 Lee 235 Perez 231 Thompson 225 White 224 Harris 212 Sanchez 208 Clark 191 Ramirez 189 "
    "Lewis 180 Robinson 179 Walker 177 Young 164 Allen 163 King 158 Wright 155 Scott 149 Torres 148 Nguyen 148 "
    "Hill 147 Flores 147 Green 146 Adams 145 Nelson 144 Baker 142 Hall 138 Rivera 133 Campbell 131 Mitchell 130 "
    "Carter 128 Roberts 128 Gomez 124 Phillips 122 Evans 121 Turner 118 Diaz 117 Parker 115 Cruz 114 Edwards 113 "
    "Collins 112 Reyes 111 Stewart 110 Morris 109 Morales 107 Murphy 105 Cook 103 Rogers 103 Gutierrez 100 Ortiz "
    "97 Morgan 96 Cooper 95 Peterson 95 Bailey 94 Reed 94 Kelly 91 Howard 90 Ramos 89 Kim 89 Cox 89 Ward 88 "
    "Richardson 88 Watson 87 Brooks 87 Chavez 85 Wood 85 James 84 Bennett 83 Gray 82 Mendoza 82 Ruiz 82 Hughes 81 "
    "Price 80 Alvarez 80 Castillo 79 Sanders 79 Patel 78 Myers 77 Long 76 Ross 76 Foster 76 Jimenez 75 Powell 74 "
    "Jenkins 74 Perry 73 Russell 73 Sullivan 72 Bell 72 Coleman 71 Butler 71 Henderson 71 Barnes 70 Fisher 69 "
    "Vasquez 69 Simmons 69 Romero 69 Jordan 68 Patterson 68 Alexander 68 Hamilton 68 Graham 67 Reynolds 67 "
    "Griffin 66 Wallace 66 Moreno 66 West 65 Cole 65 Hayes 65 Bryant 65 Herrera 64 Gibson 64 Ellis 63 Tran 63 "
    "Medina 63 Aguilar 62 Stevens 62 Murray 62 Ford 61 Castro 61 Marshall 61 Owens 60 Harrison 60 Fernandez 59 "
    "Mcdonald 59 Woods 58 Washington 58 Kennedy 57 Wells 57 Vargas 57 Henry 56 Chen 56 Freeman 56 Webb 55 Tucker "
    "55 Guzman 55 Burns 54 Crawford 54 Olson 54 Simpson 53 Porter 53 Hunter 53 Gordon 52 Mendez 52 Silva 52 Shaw "
    "52 Snyder 51 Mason 51 Dixon 51 Munoz 50 Hunt 50 Hicks 50 Holmes 49 Palmer 49 Wagner 48 Black 48 Robertson 48 "
    "Boyd 48 Rose 47 Stone 47 Salazar 47 Fox 47 Warren 46 Mills 46 Meyer 46 Rice 45 Schmidt 45 Garza 45 Daniels "
    "45 Ferguson 44 Nichols 44 Stephens 44 Soto 44 Weaver 43 Ryan 43 Gardner 43 Payne 43 Grant 42 Dunn 42 Kelley "
    "42 Spencer 42 Hawkins 41 Arnold 41 Pierce 41 Vazquez 41 Hansen 40 Peters 40 Santos 40 Hart 40 Bradley 39 "
    "Knight 39 Elliott 39 Cunningham 39 Duncan 38 Armstrong 38 Hudson 38 Carroll 38 Lane 37 Riley 37 Andrews 37 "
    "Alvarado 37";
constexpr std::string_view given_men =
    "James 2400 Robert 2300 John 2300 Michael 2250 William 2000 David 1900 Richard 1350 Joseph 1300 Thomas 1150 "
    "Charles 1100 Christopher 1050 Daniel 980 Matthew 840 Anthony 740 Mark 700 Donald 680 Steven 660 Andrew 620 "
    "Paul 610 Joshua 610 Kenneth 580 Kevin 560 Brian 550 George 540 Timothy 540 Ronald 530 Jason 510 Edward 500 "
    "Jeffrey 490 Ryan 480 Jacob 480 Gary 450 Nicholas 450 Eric 430 Jonathan 420 Stephen 410 Larry 390 Justin 390 "
    "Scott 380 Brandon 380 Benjamin 370 Samuel 360 Gregory 350 Jose 350 Juan 300 Alexander 340 Patrick 330 Frank "
    "330 Raymond 320 Jack 320 Dennis 310 Jerry 300 Tyler 300 Aaron 290 Carlos 250 Luis 240 Jesus 200 Miguel 190 "
    "Antonio 170 Francisco 150 Manuel 140 Alejandro 130 Jorge 120 Roberto 100 Eduardo 90 Guillermo 70 Wei 40 Omar "
    "60 Henry 260 Douglas 250 Peter 240 Adam 240 Zachary 240 Nathan 230 Walter 220 Kyle 210 Harold 200 Carl 200 "
    "Jeremy 190 Gerald 190 Keith 190 Roger 180 Arthur 180 Lawrence 180 Terry 170 Sean 170 Christian 170 Ethan 170 "
    "Austin 160 Joe 160 Albert 150 Jesse 150 Willie 150 Billy 150 Bryan 150 Bruce 150 Jordan 150 Ralph 140 Roy "
    "140 Noah 140 Dylan 140 Eugene 130 Wayne 130 Alan 130 Logan 130 Gabriel 130 Vincent 130 Philip 120 Louis 120 "
    "Russell 120 Bobby 120 Johnny 110 Bradley 110 Mason 100 Ivan 60";
constexpr std::string_view given_women =
    "Mary 1900 Patricia 1000 Jennifer 950 Linda 920 Elizabeth 870 Barbara 830 Susan 720 Jessica 670 Sarah 640 "
    "Karen 640 Maria 600 Lisa 590 Nancy 580 Betty 540 Sandra 530 Margaret 520 Ashley 500 Kimberly 490 Emily 480 "
    "Donna 470 Michelle 460 Carol 460 Amanda 450 Melissa 440 Deborah 430 Stephanie 430 Dorothy 420 Rebecca 420 "
    "Sharon 410 Laura 400 Cynthia 390 Amy 370 Kathleen 360 Angela 350 Shirley 340 Brenda 340 Emma 330 Anna 330 "
    "Pamela 320 Nicole 310 Samantha 300 Katherine 300 Christine 290 Helen 290 Debra 280 Rachel 280 Carolyn 270 "
    "Janet 270 Catherine 260 Heather 260 Diane 250 Olivia 250 Julie 240 Joyce 240 Victoria 230 Ruth 230 Virginia "
    "220 Lauren 220 Kelly 210 Christina 210 Joan 200 Evelyn 200 Judith 190 Andrea 190 Hannah 190 Megan 180 Cheryl "
    "180 Jacqueline 180 Martha 170 Madison 170 Teresa 170 Gloria 160 Sara 160 Janice 160 Ann 160 Kathryn 150 "
    "Abigail 150 Sophia 150 Frances 150 Jean 140 Alice 140 Judy 140 Isabella 130 Julia 130 Grace 130 Amber 120 "
    "Denise 120 Danielle 120 Marilyn 120 Beverly 110 Charlotte 110 Natalie 110 Theresa 110 Diana 110 Brittany 110 "
    "Doris 100 Kayla 100 Alexis 100 Lori 100 Guadalupe 90 Rosa 120 Carmen 110 Ana 130 Juana 60 Luz 60 Margarita "
    "80 Leticia 50 Veronica 90 Gabriela 80 Alejandra 60 Mei 40 Aisha 40 Elena 70 Lucia 60";
constexpr std::array<std::string_view, 16> syllables{"bar", "cor", "den", "fal", "gri", "hol", "jen", "kar",
                                                     "lum", "mon", "nor", "pel", "ris", "sta", "tor", "wen"};
constexpr std::array<std::string_view, 8> endings{"son", "ski", "man", "ez", "er", "ley", "ton", "ini"};
constexpr std::array<std::string_view, 12> streets{"Main",  "Oak",  "Mill",   "Lake",  "Park",   "Maple",
                                                   "Cedar", "Pine", "Church", "Ridge", "Walnut", "Washington"};
constexpr std::array<std::string_view, 4> kinds{"Street", "Avenue", "Road", "Drive"};
constexpr std::array<std::string_view, 10> cities{"Hill Valley", "Springfield", "Riverside", "Albany",  "Fernhollow",
                                                  "Quillport",   "Lakewood",    "Madison",   "Clinton", "Georgetown"};
constexpr std::size_t tail_families = 60'000, tail_given = 4000;
constexpr unsigned in_tail_percent = 64, given_in_tail_percent = 12;

struct Weighted {
  std::vector<std::string> names;
  std::vector<std::size_t> sums;  ///< of the weights up to and with each name

  explicit Weighted(std::string_view text) {
    std::size_t sum = 0;
    for (bool is_name = true; !text.empty(); is_name = !is_name) {
      const auto blank = std::min(text.find(' '), text.size());
      const std::string word(text.substr(0, blank));
      if (is_name) {
        names.push_back(word);
      } else {
        sums.push_back(sum += std::stoul(word));
      }
      text.remove_prefix(std::min(blank + 1, text.size()));
    }
  }
  const std::string& at(std::size_t random) const {
    const auto found = std::ranges::upper_bound(sums, random % sums.back());
    return names[static_cast<std::size_t>(found - sums.begin())];
  }
};

const Weighted& family_table() {
  static const Weighted table(families);
  return table;
}
const Weighted& given_table(bool man) {
  static const Weighted men(given_men), women(given_women);
  return man ? men : women;
}

/// A name of the tail: the rank falls off as in Zipf's law, so that some of it is common too.
std::string tail_name(std::size_t random, std::size_t count, bool family) {
  // It goes on where the table ends: no name of the tail is more common than the last of those.
  const double part = static_cast<double>(random % 1'000'000) / 1e6, first = family ? 250 : 100;
  auto rank = static_cast<std::size_t>(first * std::pow(static_cast<double>(count) / first, part));
  std::string name;
  for (int i = 0; i < (family ? 3 : 2); ++i, rank /= syllables.size()) name += syllables[rank % syllables.size()];
  name += family ? endings[rank % endings.size()] : rank % 2 ? "a" : "o";
  name.front() = static_cast<char>(name.front() - 'a' + 'A');
  return name;
}

std::string digits(std::size_t number, std::size_t width) {
  const auto text = std::to_string(number);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

/// Short forms as people give them at a desk.
const std::map<std::string, std::string, std::less<>>& short_forms() {
  static const std::map<std::string, std::string, std::less<>> table{
      {"James", "Jim"},        {"Robert", "Bob"},      {"John", "Jack"},       {"Michael", "Mike"},
      {"William", "Bill"},     {"David", "Dave"},      {"Richard", "Rick"},    {"Joseph", "Joe"},
      {"Thomas", "Tom"},       {"Charles", "Chuck"},   {"Christopher", "Chris"}, {"Daniel", "Dan"},
      {"Matthew", "Matt"},     {"Anthony", "Tony"},    {"Donald", "Don"},      {"Steven", "Steve"},
      {"Andrew", "Andy"},      {"Joshua", "Josh"},     {"Kenneth", "Ken"},     {"Timothy", "Tim"},
      {"Ronald", "Ron"},       {"Edward", "Ed"},       {"Jeffrey", "Jeff"},    {"Nicholas", "Nick"},
      {"Jonathan", "Jon"},     {"Stephen", "Steve"},   {"Benjamin", "Ben"},    {"Samuel", "Sam"},
      {"Gregory", "Greg"},     {"Jose", "Pepe"},       {"Alexander", "Alex"},  {"Francisco", "Paco"},
      {"Patricia", "Pat"},     {"Jennifer", "Jenny"},  {"Elizabeth", "Liz"},   {"Barbara", "Barb"},
      {"Susan", "Sue"},        {"Jessica", "Jess"},    {"Maria", "Mary"},      {"Sandra", "Sandy"},
      {"Margaret", "Peggy"},   {"Kimberly", "Kim"},    {"Deborah", "Debbie"},  {"Stephanie", "Steph"},
      {"Rebecca", "Becky"},    {"Cynthia", "Cindy"},   {"Kathleen", "Kathy"},  {"Katherine", "Kate"},
      {"Catherine", "Cathy"},  {"Victoria", "Vicky"},  {"Guadalupe", "Lupe"},  {"Guillermo", "Memo"},
      {"Eduardo", "Lalo"},     {"Jesus", "Chuy"},      {"Roberto", "Beto"},    {"Samantha", "Sam"}};
  return table;
}

/// Names no parents give to two children, being one name in two spellings or languages.
bool are_one_name(std::string_view a, std::string_view b) {
  constexpr std::pair<std::string_view, std::string_view> pairs[] = {
      {"Sara", "Sarah"},     {"Maria", "Mary"},     {"Ann", "Anna"},    {"Ana", "Anna"},    {"Ana", "Ann"},
      {"Teresa", "Theresa"}, {"Debra", "Deborah"},  {"Joe", "Joseph"},  {"Brian", "Bryan"}, {"Steven", "Stephen"},
      {"Bobby", "Robert"},   {"Johnny", "John"},    {"Willie", "William"}, {"Billy", "William"}, {"Billy", "Willie"},
      {"Jack", "John"},      {"Judy", "Judith"},    {"Jean", "Joan"},   {"Katherine", "Catherine"},
      {"Kathryn", "Catherine"}, {"Kathryn", "Katherine"}, {"Robert", "Roberto"}, {"Betty", "Elizabeth"},
      {"Jose", "Joseph"}, {"Jose", "Joe"}, {"Luis", "Louis"}, {"Michael", "Miguel"}, {"Jorge", "George"},
      {"Larry", "Lawrence"}, {"Frank", "Francisco"}, {"Johnny", "Jonathan"}, {"Johnny", "Jack"}};
  return std::ranges::any_of(pairs, [&](const auto& pair) {
    return (pair.first == a && pair.second == b) || (pair.first == b && pair.second == a);
  });
}

}  // namespace

void Census::name(Somebody& who) {
  who.family = with(in_tail_percent) ? tail_name(random_(), tail_families, true) : family_table().at(random_());
  if (with(4)) who.family += " " + family_table().at(random_());
  const auto given = [&] {
    return with(given_in_tail_percent) ? tail_name(random_(), tail_given, false)
                                       : given_table(who.gender == "M").at(random_());
  };
  who.given = given();
  if (with(70)) who.middle = with(50) ? given() : std::string(1, static_cast<char>('A' + below(26)));
}

void Census::settle(Somebody& who) {
  who.street = std::to_string(1 + below(9000)) + " " + std::string(streets[below(streets.size())]) + " " +
               std::string(kinds[below(kinds.size())]);
  const auto city = below(cities.size());
  who.city = cities[city];
  who.state = "OH";
  who.postal_code = digits(43'000 + city * 100 + below(20), 5);
  who.telephone = "+1-" + digits(200 + below(700), 3) + "-" + digits(200 + below(700), 3) + "-";
  who.telephone += digits(below(10'000), 4);
}

Somebody Census::next(std::size_t number) {
  Somebody who;
  who.gender = with(50) ? "M" : "F";
  name(who);
  const auto year = 1930 + below(95);
  who.birth_date = digits(year, 4) + (with(1) ? "0101" : digits(1 + below(12), 2) + digits(1 + below(28), 2));
  settle(who);
  who.mrn = "M" + digits(number, 8);
  if (with(60)) who.ssn = digits(100'000'000 + number * 7, 9);
  return who;
}

Somebody Census::twin_of(const Somebody& who, std::size_t number) {
  Somebody twin = who;
  if (with(40)) twin.gender = who.gender == "M" ? "F" : "M";
  const bool like_initial = with(50);
  for (int tries = 0; tries < 1000; ++tries) {
    twin.given = given_table(twin.gender == "M").at(random_());
    const bool is_theirs = twin.given == who.given || twin.given == who.middle || are_one_name(twin.given, who.given);
    if (!is_theirs && (!like_initial || tries > 300 || twin.given.front() == who.given.front())) break;
  }
  if (!who.middle.empty()) twin.middle = std::string(1, static_cast<char>('A' + below(26)));
  twin.mrn = "M" + digits(number, 8);
  if (!who.ssn.empty()) twin.ssn = digits(std::stoul(who.ssn) + 1, 9);
  return twin;
}

Somebody Census::father_of(const Somebody& who, std::size_t number) {
  Somebody father = who;
  // Often the very day and month, so that one digit alone differs.
  father.birth_date = digits(std::stoul(who.birth_date.substr(0, 4)) - (with(50) ? 30 : 18 + below(20)), 4) +
                      (with(50) ? who.birth_date.substr(4) : digits(1 + below(12), 2) + digits(1 + below(28), 2));
  if (with(50)) father.suffix = "Sr";
  father.mrn = "M" + digits(number, 8);
  if (!who.ssn.empty()) father.ssn = digits(100'000'000 + number * 7, 9);
  return father;
}

Somebody Census::housemate_of(const Somebody& who, std::size_t number) {
  Somebody other = next(number);
  other.family = who.family;
  other.street = who.street;
  other.city = who.city;
  other.state = who.state;
  other.postal_code = who.postal_code;
  other.telephone = who.telephone;
  return other;
}

Somebody Census::namesake_of(const Somebody& who, std::size_t number) {
  Somebody other = next(number);
  other.family = who.family;
  other.given = who.given;
  other.middle = who.middle;
  other.gender = who.gender;
  other.birth_date = who.birth_date;
  other.ssn = digits(100'000'000 + number * 7, 9);
  return other;
}

std::string Noise::mistyped(std::string word) {
  if (word.size() < 3) return word;
  const auto at = 1 + below(word.size() - 2);
  switch (below(4)) {
    case 0: word[at] = static_cast<char>('a' + below(26)); break;
    case 1: word.erase(at, 1); break;
    case 2: word.insert(at, 1, static_cast<char>('a' + below(26))); break;
    default: std::swap(word[at], word[at + 1]); break;
  }
  return word;
}

Somebody Noise::spoil(Somebody who) {
  const Somebody true_one = who;
  const auto is_day = [](const std::string& date) {
    const auto month = std::stoul(date.substr(4, 2)), day = std::stoul(date.substr(6));
    return month >= 1 && month <= 12 && day >= 1 && day <= 28;
  };
  Census elsewhere(random_());
  const auto same = [&] {
    return who.family == true_one.family && who.given == true_one.given && who.birth_date == true_one.birth_date &&
           who.street == true_one.street && who.telephone == true_one.telephone && who.gender == true_one.gender;
  };
  while (same()) {
    if (with(60)) who.family = mistyped(who.family);
    if (with(25)) who.given = mistyped(who.given);
    const auto form = short_forms().find(who.given);
    if (form != short_forms().end() && with(300)) who.given = form->second;
    if (const auto blank = who.family.find(' '); blank != std::string::npos && with(400)) who.family.resize(blank);
    if (with(15)) std::swap(who.family, who.given);
    auto date = who.birth_date;
    if (with(15)) date = date.substr(0, 4) + date.substr(6) + date.substr(4, 2);
    if (with(20)) date[2 + below(6)] = static_cast<char>('0' + below(10));
    if (is_day(date)) who.birth_date = date;
    const auto other = elsewhere.next(1);
    if (with(150)) {
      who.street = other.street;
      who.city = other.city;
      who.postal_code = other.postal_code;
    }
    if (with(200)) who.telephone = other.telephone;
    if (with(30)) who.gender.clear();
    if (with(60)) who.street.clear(), who.city.clear(), who.postal_code.clear();
    if (with(150)) who.telephone.clear();
  }
  if (with(300)) who.middle.clear();
  // Half of the partners know no SSN, a quarter its last four.
  if (with(500)) {
    who.ssn.clear();
  } else if (!who.ssn.empty() && with(500)) {
    who.ssn = who.ssn.substr(5);
  }
  who.mrn.clear();
  return who;
}

xca::hl7v3::PatientQuery query_for(const Somebody& who) {
  xca::hl7v3::PatientQuery query;
  xca::hl7v3::PersonName name{who.family, {who.given}, {}, who.suffix};
  if (!who.middle.empty()) name.given.push_back(who.middle);
  query.sought.names.push_back(std::move(name));
  query.sought.gender = who.gender;
  query.birth = xca::hl7v3::BirthDates{who.birth_date, who.birth_date};
  if (!who.street.empty()) query.sought.addresses = {{{who.street}, who.city, who.state, who.postal_code, "US"}};
  if (!who.telephone.empty()) query.sought.telecoms = {"tel:" + who.telephone};
  if (!who.ssn.empty()) query.ids = {{"2.16.840.1.113883.4.1", who.ssn}};
  return query;
}

}  // namespace gateway::bench
