#include "results/table.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace espalier {
namespace {

using testing::ElementsAre;

template <class T>
const std::vector<T>& as(const ColumnValues& values) {
  return std::get<std::vector<T>>(values);
}

TEST(ColumnOf, TakesTheNarrowestTypeThatHoldsAll) {
  EXPECT_THAT(as<Flag>(column_of({true, false})), ElementsAre(Flag::yes, Flag::no));
  EXPECT_THAT(as<std::int64_t>(column_of({1, 2})), ElementsAre(1, 2));
  EXPECT_THAT(as<double>(column_of({1, 0.5})), ElementsAre(1.0, 0.5));
  EXPECT_THAT(as<std::string>(column_of({"gcn", "gat"})), ElementsAre("gcn", "gat"));
  EXPECT_THAT(as<std::string>(column_of({"gcn", 1})), ElementsAre("gcn", "1"));
  EXPECT_THAT(as<std::string>(column_of({Json{1, 2}, true})), ElementsAre("[1,2]", "true"));
}

TEST(ColumnOf, MarksWhatIsMissing) {
  EXPECT_THAT(as<std::int64_t>(column_of({1, nullptr})), ElementsAre(1, -1));
  EXPECT_TRUE(std::isnan(as<double>(column_of({0.5, nullptr}))[1]));
  EXPECT_THAT(as<std::string>(column_of({"a", nullptr})), ElementsAre("a", ""));
  EXPECT_THAT(as<Flag>(column_of({true, nullptr})), ElementsAre(Flag::yes, Flag::absent));
  EXPECT_THAT(as<std::int64_t>(column_of({nullptr})), ElementsAre(-1));
}

Table small_table() {
  Table table;
  table.add("name", std::vector<std::string>{"plain", "with \"quotes\", and\nlines"});
  table.add("n", std::vector<std::int64_t>{-1, 9007199254740993});
  table.add("x", std::vector<double>{0.1, std::numeric_limits<double>::quiet_NaN()});
  table.add("yes", std::vector<Flag>{Flag::yes, Flag::absent});
  return table;
}

TEST(Table, BecomesCsv) {
  EXPECT_EQ(to_csv(small_table()),
            "name,n,x,yes\n"
            "plain,-1,0.1,true\n"
            "\"with \"\"quotes\"\", and\nlines\",9007199254740993,,\n");
}

TEST(Table, BecomesJson) {
  const Json rows = to_json(small_table());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], (Json{{"name", "plain"}, {"n", -1}, {"x", 0.1}, {"yes", true}}));
  EXPECT_TRUE(rows[1].at("x").is_null());
}

TEST(Table, WithoutRowsIsAHeader) {
  Table table;
  table.add("a", std::vector<double>{});
  EXPECT_EQ(to_csv(table), "a\n");
  EXPECT_EQ(to_json(table), Json::array());
  EXPECT_EQ(table.find("b"), nullptr);
}

}  // namespace
}  // namespace espalier
