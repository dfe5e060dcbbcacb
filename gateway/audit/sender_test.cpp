#include "gateway/audit/sender.hpp"

#include "gateway/audit/testing.hpp"

#include <condition_variable>

namespace gateway::audit {
namespace {

using namespace std::chrono_literals;

/// A repository in memory: takes what is written, acknowledges or not, and breaks when told to.
class Repository {
 public:
  OpenSink opener() {
    return [this]() -> Result<std::unique_ptr<Sink>> {
      const std::scoped_lock lock(mutex_);
      if (!up_) return base::fail(store::Errc::Unavailable);
      return std::unique_ptr<Sink>(new Connection(*this, ++connection_));
    };
  }
  /// From now on: connections work; what is written is acknowledged. Earlier connections are broken.
  void set(bool up, bool acknowledges) {
    const std::scoped_lock lock(mutex_);
    up_ = up;
    acknowledges_ = acknowledges;
    ++connection_;
  }
  std::string text() {
    const std::scoped_lock lock(mutex_);
    return text_;
  }
  std::size_t count(std::string_view part) {
    const auto all = text();
    std::size_t found = 0;
    for (auto at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++found;
    return found;
  }

 private:
  class Connection final : public Sink {
   public:
    Connection(Repository& of, int number) : of_(of), number_(number) {}
    Result<void> write(base::BytesView frames) override {
      const std::scoped_lock lock(of_.mutex_);
      if (number_ != of_.connection_) return base::fail(Errc::QueueFull);
      of_.text_ += frames;
      written_ += frames.size();
      return {};
    }
    Result<std::uint64_t> acknowledged() override {
      const std::scoped_lock lock(of_.mutex_);
      if (number_ != of_.connection_) return base::fail(Errc::QueueFull);
      return of_.acknowledges_ ? written_ : 0;
    }

   private:
    Repository& of_;
    const int number_;
    std::uint64_t written_ = 0;
  };
  std::mutex mutex_;
  std::string text_;
  bool up_ = true, acknowledges_ = true;
  int connection_ = 0;
};

class SenderOnBoth : public WithJournal {
 protected:
  void SetUp() override {
    WithJournal::SetUp();
    if (!IsSkipped()) reopen(100);
  }
  void reopen(std::uint64_t limit) {
    journal_.reset();
    spool_ = std::make_unique<Spool>(limit);
    auto with = options();
    with.spool = spool_.get();
    journal_ = *Journal::open(*database_, std::move(with));
  }
  void write(int from, int to) {
    for (int i = from; i <= to; ++i) {
      auto one = entry("r" + std::to_string(i), i);
      one.event->query_hash = "aa";
      one.event->query_id = "asked-" + std::to_string(i) + "-";
      one.query = "<q/>";
      ASSERT_TRUE(journal_->commit_and_wait(std::move(one)));
    }
  }
  std::unique_ptr<Sender> sender(const std::string& holder = "n1") {
    Sender::Options with;
    with.holder = holder;
    with.header = {.host = "h", .process = "1"};
    with.settle = 60ms;
    with.back_off_least = with.back_off_most = 10ms;
    with.pause = 5ms;
    with.farewell = 500ms;
    return *Sender::start(*database_, *spool_, repository_.opener(), std::move(with));
  }
  bool soon(const std::function<bool()>& holds) {
    for (int i = 0; i < 600; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }
  bool in_order(int from, int to) {
    const auto text = repository_.text();
    std::size_t at = 0;
    for (int i = from; i <= to && at != std::string::npos; ++i) at = text.find("asked-" + std::to_string(i) + "-", at);
    return at != std::string::npos;
  }
  std::unique_ptr<Spool> spool_;
  Repository repository_;
};
INSTANTIATE_TEST_SUITE_P(Sender, SenderOnBoth, ::testing::Values(store::Kind::Sqlite, store::Kind::Postgresql),
                         kind_name);

TEST_P(SenderOnBoth, HandsOverInOrderAndForgetsWhatArrived) {
  write(1, 5);
  EXPECT_EQ(count("audit_outbox"), 10);  // an event and a checkpoint for each commit
  EXPECT_EQ(spool_->waiting(), 10u);
  const auto running = sender();
  ASSERT_TRUE(soon([&] { return count("audit_outbox") == 0; }));
  write(6, 9);
  ASSERT_TRUE(soon([&] { return count("audit_outbox") == 0 && spool_->waiting() == 0; }));
  EXPECT_TRUE(in_order(1, 9));
  EXPECT_EQ(repository_.count("<AuditMessage>"), 9u);
  EXPECT_EQ(repository_.count("gatehouse-checkpoint"), 9u);
  EXPECT_EQ(repository_.count("<ParticipantObjectQuery>PHEvPg==<"), 9u);
  EXPECT_EQ(running->figures().sent, 18u);
}

TEST_P(SenderOnBoth, KeepsWhatWasNotAcknowledgedAndSendsItAgainOnTheNextConnection) {
  repository_.set(true, false);
  write(1, 3);
  const auto running = sender();
  ASSERT_TRUE(soon([&] { return repository_.count("<AuditMessage>") == 3; }));
  std::this_thread::sleep_for(150ms);
  EXPECT_EQ(count("audit_outbox"), 6);
  repository_.set(true, true);  // the connection breaks
  ASSERT_TRUE(soon([&] { return count("audit_outbox") == 0; }));
  EXPECT_EQ(repository_.count("<AuditMessage>"), 6u);
  EXPECT_EQ(running->figures().sent_again, 6u);
}

TEST_P(SenderOnBoth, DoesNotBelieveAConnectionThatBreaksSoonAfterTheAcknowledgement) {
  write(1, 3);
  const auto running = sender();
  ASSERT_TRUE(soon([&] { return repository_.count("<AuditMessage>") == 3; }));
  repository_.set(true, true);  // at once, before it has settled
  ASSERT_TRUE(soon([&] { return count("audit_outbox") == 0; }));
  EXPECT_EQ(repository_.count("<AuditMessage>"), 6u);
}

TEST_P(SenderOnBoth, WaitsForARepositoryThatIsDown) {
  repository_.set(false, true);
  const auto running = sender();
  write(1, 3);
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(running->figures().connected);
  EXPECT_EQ(count("audit_outbox"), 6);
  repository_.set(true, true);
  ASSERT_TRUE(soon([&] { return count("audit_outbox") == 0; }));
  EXPECT_TRUE(in_order(1, 3));
  EXPECT_TRUE(running->figures().connected);
}

TEST_P(SenderOnBoth, LeavesALaneToWhoHoldsItAndTakesItAfterTheLease) {
  ASSERT_TRUE(session().execute("UPDATE audit_lanes SET holder = 'n2', lease_end = :p1",
                                {base::to_micros(std::chrono::time_point_cast<std::chrono::microseconds>(
                                    std::chrono::system_clock::now() + 400ms))}));
  write(1, 3);
  const auto running = sender("n1");
  std::this_thread::sleep_for(150ms);
  EXPECT_EQ(repository_.count("<AuditMessage>"), 0u);
  ASSERT_TRUE(soon([&] { return count("audit_outbox") == 0; }));
  EXPECT_EQ(session().select("SELECT holder, fence FROM audit_lanes", "ti")->at(0).text(0), "n1");
  EXPECT_EQ(session().select("SELECT fence FROM audit_lanes", "i")->at(0).integer(0), 1);
}

TEST_P(SenderOnBoth, OfTwoNodesOneSendsEachMessage) {
  write(1, 20);
  Spool other(100);
  Sender::Options with;
  with.holder = "n2";
  with.settle = 60ms;
  with.pause = 5ms;
  {
    Repository second;
    const auto n2 = *Sender::start(*database_, other, second.opener(), std::move(with));
    const auto n1 = sender("n1");
    ASSERT_TRUE(soon([&] { return count("audit_outbox") == 0; }));
    EXPECT_EQ(repository_.count("<AuditMessage>") + second.count("<AuditMessage>"), 20u);
  }
}

TEST_P(SenderOnBoth, SendsWhatIsLeftBeforeItEnds) {
  auto running = sender();
  write(1, 3);
  running.reset();
  EXPECT_EQ(repository_.count("<AuditMessage>"), 3u);
  EXPECT_EQ(count("audit_outbox"), 0);
}

TEST_P(SenderOnBoth, OfAFullSpoolTakesRefusalsAndNoQueries) {
  reopen(10);
  write(1, 4);
  EXPECT_TRUE(journal_->may_disclose());
  EXPECT_TRUE(spool_->nearly_full());
  write(5, 5);
  EXPECT_FALSE(journal_->may_disclose());
  write(6, 6);
  EXPECT_EQ(session().select("SELECT query FROM audit_outbox WHERE part = 0 ORDER BY seq DESC LIMIT 1", "t")
                ->at(0)
                .text(0),
            "");
  const auto running = sender();
  ASSERT_TRUE(soon([&] { return journal_->may_disclose(); }));
}

TEST_P(SenderOnBoth, PassesOverRowsThatCannotBeRead) {
  write(1, 3);
  ASSERT_TRUE(session().execute("UPDATE audit_payloads SET payload = 'rubbish' WHERE seq = 1"));
  ASSERT_TRUE(session().execute("UPDATE audit_checkpoints SET head = 'rubbish' WHERE seq = 2"));
  ASSERT_TRUE(session().execute("DELETE FROM audit_payloads WHERE seq = 3"));
  const auto running = sender();
  ASSERT_TRUE(soon([&] { return count("audit_outbox") == 0; }));
  EXPECT_EQ(repository_.count("<AuditMessage>"), 1u);
  EXPECT_EQ(repository_.count("gatehouse-checkpoint"), 2u);
}

TEST_P(SenderOnBoth, TellsEventsWhoseTransactionCommittedAndNoOthers) {
  auto spent = with_claim(claim("p", "q"), "first");
  ASSERT_TRUE(journal_->commit_and_wait(spent));
  auto relayed = with_claim(claim("p", "q"), "second");
  relayed.claim->organization = "somebody else";
  ASSERT_EQ(journal_->commit_and_wait(relayed)->verdict, ClaimVerdict::Relayed);
  EXPECT_EQ(count("audit_outbox"), 2);
  journal_.reset();
  open_journal();  // without a spool
  ASSERT_TRUE(journal_->commit_and_wait(entry("third")));
  EXPECT_EQ(count("audit_outbox"), 2);
}

}  // namespace
}  // namespace gateway::audit
