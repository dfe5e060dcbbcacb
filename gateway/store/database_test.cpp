#include "gateway/store/database.hpp"

#include "gateway/store/migrations.hpp"
#include "gateway/store/testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

namespace gateway::store {
namespace {

class OnBoth : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    url_ = fresh_url(GetParam(), directory_);
    if (url_.empty()) GTEST_SKIP() << "PostgreSQL is not installed";
    ASSERT_TRUE(Database::migrate(url_));
    auto database = Database::open(url_);
    ASSERT_TRUE(database) << database.error().detail;
    database_ = *std::move(database);
    session_ = *database_->session();
    ASSERT_TRUE(session_->execute("CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT, bytes " +
                                  std::string(database_->is_postgresql() ? "BYTEA" : "BLOB") + ")"));
  }
  std::int64_t count() { return (*session_->select("SELECT COUNT(*) FROM things", "i"))[0].integer(0); }
  Result<std::size_t> add(std::int64_t id, Value name = {}, Value bytes = {}) {
    return session_->execute("INSERT INTO things VALUES (:p1, :p2, :p3)", {id, std::move(name), std::move(bytes)});
  }

  TemporaryDirectory directory_;
  std::string url_;
  std::unique_ptr<Database> database_;
  Session* session_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(Database, OnBoth, ::testing::Values(Kind::Sqlite, Kind::Postgresql),
                         [](const auto& kind) { return name_of(kind.param); });

TEST_P(OnBoth, MigratesOnce) {
  const auto again = Database::migrate(url_);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, 0u);
  EXPECT_TRUE(Database::open(url_));
}

TEST_P(OnBoth, RefusesANewerSchema) {
  ASSERT_TRUE(session_->execute("INSERT INTO schema_version (version) VALUES (999)"));
  const auto opened = Database::open(url_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::SchemaMismatch);
  const auto migrated = Database::migrate(url_);
  ASSERT_FALSE(migrated);
  EXPECT_EQ(migrated.error().code, Errc::SchemaMismatch);
}

TEST_P(OnBoth, GivesBackWhatWasStored) {
  std::string every_octet;
  for (int i = 0; i < 256; ++i) every_octet.push_back(static_cast<char>(i));
  const std::string long_text(100'000, 'x');
  ASSERT_TRUE(add(1, std::string("Grüße 'x' :p1 \\"), Blob{every_octet}));
  ASSERT_TRUE(add(2));
  ASSERT_TRUE(add(INT64_MIN, std::string(), Blob{}));
  ASSERT_TRUE(add(INT64_MAX, long_text, Blob{std::string(300'000, '\0')}));
  const auto rows = session_->select("SELECT id, name, bytes FROM things ORDER BY id", "itb");
  ASSERT_TRUE(rows) << rows.error().detail;
  using Values = std::vector<Value>;
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ((*rows)[0].values_, (Values{INT64_MIN, std::string(), Blob{}}));
  EXPECT_EQ((*rows)[1].values_, (Values{std::int64_t{1}, std::string("Grüße 'x' :p1 \\"), Blob{every_octet}}));
  EXPECT_EQ((*rows)[2].values_, (Values{std::int64_t{2}, std::monostate{}, std::monostate{}}));
  EXPECT_EQ((*rows)[3].values_, (Values{INT64_MAX, long_text, Blob{std::string(300'000, '\0')}}));
  EXPECT_EQ((*rows)[1].text(1), "Grüße 'x' :p1 \\");
  EXPECT_EQ((*rows)[2].optional_text(1), std::nullopt);
  EXPECT_THROW((*rows)[1].integer(1), std::logic_error);
}

TEST_P(OnBoth, TakesAParameterOfAnotherKindInTheSameStatement) {
  static const Value no_value;
  const auto equal = [&](const Value& value) {
    return session_->select("SELECT id FROM things WHERE name = :p1 OR (:p1 IS NULL AND name IS NULL)", "i", {value});
  };
  ASSERT_TRUE(add(1));
  ASSERT_TRUE(add(2, std::string("7")));
  for (int round = 0; round < 2; ++round) {
    if (!database_->is_postgresql()) {  // which takes $1 for a text wherever it stands
      ASSERT_EQ(equal(no_value)->size(), 1u);
    }
    ASSERT_EQ(session_->select("SELECT id FROM things WHERE name = :p1", "i", {std::string("7")})->at(0).integer(0), 2);
    ASSERT_EQ(session_->select("SELECT id FROM things WHERE name = :p1", "i", {Value{}})->size(), 0u);
  }
  EXPECT_EQ(session_->select("SELECT id FROM things WHERE name = :p1 AND name = :p1", "i", {std::string("7")})->size(),
            1u);
}

TEST_P(OnBoth, CountsTheRowsChanged) {
  ASSERT_EQ(*add(1), 1u);
  ASSERT_EQ(*add(2), 1u);
  EXPECT_EQ(*session_->execute("UPDATE things SET name = :p1", {std::string("x")}), 2u);
  EXPECT_EQ(*session_->execute("UPDATE things SET name = :p1 WHERE id = 9", {std::string("x")}), 0u);
  const auto insert = "INSERT INTO things (id) VALUES (:p1) ON CONFLICT (id) DO NOTHING";
  EXPECT_EQ(*session_->execute(insert, {std::int64_t{2}}), 0u);
  EXPECT_EQ(*session_->execute(insert, {std::int64_t{3}}), 1u);
  EXPECT_EQ(*session_->execute(insert, {std::int64_t{3}}), 0u);
}

TEST_P(OnBoth, CallsATakenKeyAConflictAndKeepsItsStatement) {
  ASSERT_TRUE(add(1));
  for (std::int64_t round = 0; round < 3; ++round) {
    const auto taken = add(1, std::string("Miller"));
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, Errc::Conflict);
    EXPECT_EQ(taken.error().detail.find("Miller"), std::string::npos) << "a value in an error's detail";
    EXPECT_TRUE(add(2 + round));
  }
}

TEST_P(OnBoth, RefusesATextWithANul) {
  ASSERT_TRUE(add(1, std::string("a")));
  const auto found = session_->select("SELECT id FROM things WHERE name = :p1", "i", {std::string("a\0b", 3)});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::Unreadable);
  EXPECT_TRUE(session_->select("SELECT id FROM things WHERE name = :p1", "i", {std::string("a")}));
}

TEST_P(OnBoth, RefusesMoreRowsThanTheQueryAllows) {
  for (std::int64_t id = 1; id <= 3; ++id) ASSERT_TRUE(add(id));
  const auto all = "SELECT id FROM things";
  const auto three = session_->select(all, "i", {}, 2);
  ASSERT_FALSE(three);
  EXPECT_EQ(three.error().code, Errc::Unreadable);
  EXPECT_EQ(session_->select(all, "i", {}, 3)->size(), 3u);
}

TEST_P(OnBoth, RollsBackOnAnErrorAndOnAnException) {
  const auto failed = session_->transaction([&]() -> Result<void> {
    TRY(add(1));
    return base::fail(Errc::Conflict, "of the work");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().detail, "of the work");
  EXPECT_THROW((void)session_->transaction([&]() -> Result<void> {
    TRY(add(1));
    throw std::runtime_error("a defect");
  }),
               std::runtime_error);
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(session_->transaction([&]() -> Result<void> {
    TRY(add(1));
    return {};
  }));
  EXPECT_EQ(count(), 1);
}

TEST_P(OnBoth, RollsBackAfterAFailedStatementEvenIfTheWorkIgnoresIt) {
  ASSERT_TRUE(add(1));
  const auto outcome = session_->transaction([&]() -> Result<void> {
    TRY(add(2));
    (void)add(1);
    return {};
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::Conflict);
  EXPECT_EQ(count(), 1);
  EXPECT_TRUE(add(2)) << "the statement must be usable after its failure";
}

TEST_P(OnBoth, UndoesOnlyWhatFailedInASavepoint) {
  const auto outcome = session_->transaction([&]() -> Result<void> {
    TRY(add(1));
    EXPECT_FALSE(session_->savepoint([&]() -> Result<void> {
      TRY(add(2));
      TRY(add(1));
      return {};
    }));
    TRY(session_->savepoint([&]() -> Result<void> {
      TRY(add(3));
      return {};
    }));
    return {};
  });
  ASSERT_TRUE(outcome) << outcome.error().detail;
  const auto rows = session_->select("SELECT id FROM things ORDER BY id", "i");
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[1].integer(0), 3);
}

TEST_P(OnBoth, GivesEachThreadItsOwnSession) {
  Session* other = nullptr;
  std::thread([&] {
    other = *database_->session();
    EXPECT_EQ(other, *database_->session());
    EXPECT_TRUE(other->execute("INSERT INTO things (id) VALUES (1)"));
  }).join();
  EXPECT_NE(other, session_);
  EXPECT_EQ(session_, *database_->session());
  EXPECT_EQ(count(), 1);
}

TEST_P(OnBoth, ForgetsTheSessionsOfADatabaseThatEnded) {
  for (int round = 0; round < 3; ++round) {
    auto second = *Database::open(url_);
    auto* session = *second->session();
    ASSERT_NE(session, session_);
    ASSERT_TRUE(session->select("SELECT id FROM things", "i"));
    std::thread([&] { ASSERT_TRUE(second->session()); }).join();
  }
  EXPECT_EQ(count(), 0);
}

TEST_P(OnBoth, KeepsWhatWasCommittedWhenReopened) {
  ASSERT_TRUE(add(1));
  database_.reset();
  database_ = *Database::open(url_);
  session_ = *database_->session();
  EXPECT_EQ(count(), 1);
}

class OnSqlite : public ::testing::Test {
 protected:
  std::string path() const { return directory_ / "gatehouse.db"; }
  std::string url(const std::string& settings = "") const { return "sqlite:" + path() + settings; }
  TemporaryDirectory directory_;
};

// K21: WAL with synchronous=NORMAL loses acknowledged commits at a power cut.
TEST_F(OnSqlite, RefusesSettingsThatLoseCommits) {
  ASSERT_TRUE(Database::migrate(url()));
  for (const auto* settings : {"?synchronous=NORMAL", "?synchronous=OFF", "?synchronous=1", "?journal_mode=DELETE",
                               "?cache_size=-1000&journal_mode=MEMORY"}) {
    const auto opened = Database::open(url(settings));
    ASSERT_FALSE(opened) << settings;
    EXPECT_EQ(opened.error().code, Errc::Unsafe) << settings;
    const auto migrated = Database::migrate(url(settings));
    ASSERT_FALSE(migrated) << settings;
    EXPECT_EQ(migrated.error().code, Errc::Unsafe) << settings;
  }
  for (const auto* settings : {"", "?synchronous=FULL", "?synchronous=EXTRA", "?journal_mode=WAL&mmap_size=0"}) {
    EXPECT_TRUE(Database::open(url(settings))) << settings;
  }
}

TEST_F(OnSqlite, BringsAFileOfAnotherJournalModeToWal) {
  ASSERT_TRUE(Database::migrate(url()));
  ASSERT_EQ(std::system(("sqlite3 " + path() + " 'PRAGMA journal_mode=DELETE' > /dev/null").c_str()), 0);
  auto opened = Database::open(url());
  ASSERT_TRUE(opened) << opened.error().detail;
  const auto session = *(*opened)->session();
  EXPECT_EQ(session->select("PRAGMA journal_mode", "t")->at(0).text(0), "wal");
  EXPECT_EQ(session->select("PRAGMA synchronous", "i")->at(0).integer(0), 2);
  EXPECT_EQ(session->select("PRAGMA foreign_keys", "i")->at(0).integer(0), 1);
}

TEST_F(OnSqlite, RefusesUrlsItDoesNotKnow) {
  for (const auto* bad : {"", "mysql:x", "sqlite:", "sqlite:a\"b", "sqlite:x?unknown=1", "sqlite:x?synchronous=FULL;x",
                          "sqlite:x?synchronous", "sqlite:x?"}) {
    const auto opened = Database::open(bad);
    ASSERT_FALSE(opened) << bad;
    EXPECT_EQ(opened.error().code, Errc::Unavailable) << bad;
  }
}

TEST_F(OnSqlite, SaysThatThereIsNoDatabaseYet) {
  const auto opened = Database::open(url());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::SchemaMismatch);
  EXPECT_FALSE(std::filesystem::exists(path())) << "opening must not make one";
}

TEST_F(OnSqlite, KeepsTheFileToItsOwner) {
  ::umask(0);
  ASSERT_TRUE(Database::migrate(url()));
  const auto opened = *Database::open(url());
  ASSERT_TRUE((*opened->session())->execute("UPDATE directory_version SET version = 2"));
  for (const auto* suffix : {"", "-wal", "-shm"}) {
    struct stat found {};
    ASSERT_EQ(::stat((path() + suffix).c_str(), &found), 0) << suffix;
    EXPECT_EQ(found.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(OnSqlite, IsUnavailableWhileAnotherWriterHoldsTheLockAndHeals) {
  ASSERT_TRUE(Database::migrate(url()));
  const auto holder = *Database::open(url());
  const auto waiter = *Database::open(url("?busy_timeout=50"));
  const auto change = [&] { return (*waiter->session())->execute("UPDATE directory_version SET version = 3"); };
  ASSERT_TRUE((*holder->session())->transaction([&]() -> Result<void> {
    const auto locked_out = change();
    EXPECT_FALSE(locked_out);
    EXPECT_EQ(locked_out.error().code, Errc::Unavailable);
    return {};
  }));
  EXPECT_TRUE(change());
}

class OnPostgresql : public ::testing::Test {
 protected:
  void SetUp() override {
    url_ = fresh_url(Kind::Postgresql, directory_);
    if (url_.empty()) GTEST_SKIP() << "PostgreSQL is not installed";
    ASSERT_TRUE(Database::migrate(url_));
  }
  TemporaryDirectory directory_;
  std::string url_;
};

TEST_F(OnPostgresql, RefusesAsynchronousCommit) {
  const auto opened = Database::open(url_ + "&options=-csynchronous_commit%3Doff");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::Unsafe);
  EXPECT_TRUE(Database::open(url_ + "&options=-csynchronous_commit%3Dlocal"));
}

TEST_F(OnPostgresql, ReconnectsAfterALostConnection) {
  const auto database = *Database::open(url_), killer = *Database::open(url_);
  auto* session = *database->session();
  const auto number = [](Session* of) { return of->select("SELECT version FROM directory_version", "i"); };
  ASSERT_TRUE(number(session));
  const auto pid = session->select("SELECT pg_backend_pid()", "i")->at(0).integer(0);
  ASSERT_TRUE((*killer->session())->select("SELECT pg_terminate_backend(:p1)", "t", {pid}));
  const auto lost = number(session);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Errc::Unavailable);
  EXPECT_FALSE(number(session)) << "a lost connection stays lost until session() is asked";
  ASSERT_TRUE(database->session());
  EXPECT_EQ(*database->session(), session) << "the object stays where it is";
  EXPECT_TRUE(number(session));
}

TEST_F(OnPostgresql, TellsTheOneWhoseConnectionIsLostInATransaction) {
  const auto database = *Database::open(url_), killer = *Database::open(url_);
  auto* session = *database->session();
  const auto outcome = session->transaction([&]() -> Result<void> {
    const auto pid = TRY(session->select("SELECT pg_backend_pid()", "i")).at(0).integer(0);
    TRY((*killer->session())->select("SELECT pg_terminate_backend(:p1)", "t", {pid}));
    (void)session->execute("UPDATE directory_version SET version = 5");
    EXPECT_EQ(*database->session(), session) << "no other connection within a transaction";
    return {};
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::Unavailable);
  ASSERT_TRUE(database->session());
  EXPECT_EQ(session->select("SELECT version FROM directory_version", "i")->at(0).integer(0), 1);
}

TEST(Migrations, SplitStatementsAndLeaveQuotedTextAlone) {
  EXPECT_THAT(
      split_statements("-- the clinic's; own\nCREATE TABLE a (b TEXT); -- end\n\n INSERT INTO a VALUES ('--;''x');"
                       "SELECT 1"),
      ::testing::ElementsAre("CREATE TABLE a (b TEXT)", "INSERT INTO a VALUES ('--;''x')", "SELECT 1"));
  EXPECT_TRUE(split_statements(" -- nothing").empty());
}

}  // namespace
}  // namespace gateway::store
