#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/tensor/safetensors.hpp>
#include <fstream>
#include <functional>
#include <string>

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string file_of(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + data;
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TensorView view_of(std::string name, DType dtype, std::vector<std::int64_t> shape,
                   std::string_view bytes) {
  return {std::move(name), dtype, std::move(shape),
          reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
}

std::string bytes_of(const TensorView& view) {
  return {reinterpret_cast<const char*>(view.data), view.bytes};
}

class SafeTensorsTest : public testing::Test {
 protected:
  SafeTensorsTest() { fs::create_directories(folder_); }
  ~SafeTensorsTest() override { fs::remove_all(folder_); }

  fs::path put(const std::string& name, std::string_view bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  std::string error_for(std::string_view bytes) {
    const fs::path file = put("case.safetensors", bytes);
    return error_of([&] { (void)SafeTensors::open(file); });
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("safetensors_test_" + std::to_string(::getpid()));
};

// Written by Hugging Face's safetensors 0.8.0:
// save_file({"b": arange(3, f32), "a": [[1, 2]] i8, "s": float16 1.5 scalar}, metadata={"k": "v"}).
const std::string reference =
    file_of(R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},)"
            R"("s":{"dtype":"F16","shape":[],"data_offsets":[12,14]},)"
            R"("a":{"dtype":"I8","shape":[1,2],"data_offsets":[14,16]}}  )",
            std::string("\0\0\0\0\0\0\x80\x3f\0\0\0\x40\0\x3e\1\2", 16));

TEST_F(SafeTensorsTest, ReadsWhatTheReferenceWrites) {
  const SafeTensors file = SafeTensors::open(put("x.safetensors", reference));
  EXPECT_THAT(file.names(), ElementsAre("b", "s", "a"));
  EXPECT_EQ(file.metadata().at("k"), "v");
  const TensorView& b = file.at("b");
  EXPECT_EQ(b.dtype, DType::f32);
  EXPECT_THAT(b.shape, ElementsAre(3));
  float values[3];
  std::memcpy(values, b.data, sizeof values);
  EXPECT_THAT(values, ElementsAre(0.0F, 1.0F, 2.0F));
  EXPECT_TRUE(file.at("s").shape.empty());
  EXPECT_EQ(bytes_of(file.at("a")), "\1\2");
  EXPECT_EQ(file.find("c"), nullptr);
}

TEST_F(SafeTensorsTest, WritesTheReferencesBytes) {
  const std::string f32("\0\0\0\0\0\0\x80\x3f\0\0\0\x40", 12);
  const std::string f16("\0\x3e", 2);
  const std::vector<TensorView> tensors{view_of("a", DType::i8, {1, 2}, "\1\2"),
                                        view_of("b", DType::f32, {3}, f32),
                                        view_of("s", DType::f16, {}, f16)};
  write_safetensors(folder_ / "w.safetensors", tensors, {{"k", "v"}});
  EXPECT_EQ(read_file(folder_ / "w.safetensors"), reference);
}

TEST_F(SafeTensorsTest, RefusesToWriteNonsense) {
  const std::vector<TensorView> wrong{view_of("a", DType::i8, {3}, "12"),
                                      view_of("b", DType::i8, {1}, "1"),
                                      view_of("b", DType::i8, {1}, "1")};
  const std::string error = error_of([&] { write_safetensors(folder_ / "w.safetensors", wrong); });
  EXPECT_THAT(error, HasSubstr("\"a\" has bytes for another shape"));
  EXPECT_THAT(error, HasSubstr("\"b\" is there twice"));
  EXPECT_FALSE(fs::exists(folder_ / "w.safetensors"));
}

TEST_F(SafeTensorsTest, KnowsEveryTypeByNameAndSize) {
  for (int i = 0; i <= static_cast<int>(DType::f8_e5m2fnuz); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(dtype_of(to_string(dtype)), dtype);
  }
  EXPECT_EQ(size_of(DType::bf16), 2u);
  EXPECT_EQ(size_of(DType::f8_e5m2fnuz), 1u);
  EXPECT_FALSE(dtype_of("F4"));
}

TEST_F(SafeTensorsTest, WritingIntoAViewLeavesTheFileAlone) {
  const fs::path path = put("x.safetensors", reference);
  const SafeTensors file = SafeTensors::open(path);
  const_cast<std::byte*>(file.at("a").data)[0] = std::byte{9};
  EXPECT_EQ(read_file(path), reference);
}

TEST_F(SafeTensorsTest, TheMappingOutlivesTheSet) {
  std::shared_ptr<const void> owner;
  const TensorView* view = nullptr;
  {
    const SafeTensors file = SafeTensors::open(put("x.safetensors", reference));
    owner = file.keep_alive();
    view = file.find("a");
  }
  EXPECT_EQ(bytes_of(*view), "\1\2");
}

TEST_F(SafeTensorsTest, NoCutOfTheFileIsAccepted) {
  for (std::size_t i = 0; i < 20; ++i) {
    const std::size_t size = i * reference.size() / 20;
    EXPECT_NE(error_for(reference.substr(0, size)), "no error") << size << " bytes";
  }
  EXPECT_NE(error_for(reference + '\0'), "no error");
}

TEST_F(SafeTensorsTest, AFlippedHeaderByteIsRefusedOrReadInsideTheFile) {
  for (std::size_t i = 0; i < reference.size() - 16; ++i) {
    for (const int bit : {0, 3, 7}) {
      std::string bytes = reference;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      const fs::path path = put("case.safetensors", bytes);
      try {
        const SafeTensors file = SafeTensors::open(path);
        for (const TensorView& view : file.tensors()) (void)bytes_of(view);
      } catch (const Error&) {
      }
    }
  }
}

TEST_F(SafeTensorsTest, NamesTheRuleThatAFileBreaks) {
  const auto tensor = [](const char* shape, const char* offsets) {
    return std::string(R"({"a":{"dtype":"F32","shape":)") + shape + R"(,"data_offsets":)" +
           offsets + "}}";
  };
  EXPECT_THAT(error_for(file_of(tensor("[2]", "[0,8]"), "1234567")), HasSubstr("cut off"));
  EXPECT_THAT(error_for(file_of(tensor("[2]", "[8,0]"), "12345678")),
              HasSubstr("ends before it begins"));
  EXPECT_THAT(error_for(file_of(tensor("[3]", "[0,8]"), "12345678")), HasSubstr("12 bytes"));
  EXPECT_THAT(error_for(file_of(tensor("[-2]", "[0,8]"), "12345678")), HasSubstr("wrong shape"));
  EXPECT_THAT(error_for(file_of(tensor("[2.5]", "[0,8]"), "12345678")), HasSubstr("wrong shape"));
  EXPECT_THAT(error_for(file_of(tensor("[4294967296,4294967296,4]", "[0,0]"), "")),
              HasSubstr("product fits 64 bits"));
  EXPECT_THAT(error_for(file_of(tensor("[1]", "[4,8]"), "12345678")), HasSubstr("a gap before it"));
  EXPECT_THAT(error_for(file_of(tensor("[1]", "[0,4]"), "12345678")), HasSubstr("no tensor owns"));
  EXPECT_THAT(error_for(file_of(tensor("[1]", "[0,18446744073709551615]"), "1234")),
              HasSubstr("data_offsets"));
  EXPECT_THAT(
      error_for(file_of(R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", "1234")),
      HasSubstr("F31"));
  EXPECT_THAT(error_for(file_of(R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},)"
                                R"("b":{"dtype":"I8","shape":[2],"data_offsets":[2,4]}})",
                                "1234")),
              HasSubstr("\"b\": overlaps"));
  EXPECT_THAT(error_for(file_of(R"({"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]},)"
                                R"("a":{"dtype":"I8","shape":[2],"data_offsets":[2,4]}})",
                                "1234")),
              HasSubstr("duplicate"));
  EXPECT_THAT(error_for(file_of("[]", "")), HasSubstr("no JSON object"));
  EXPECT_THAT(error_for(file_of(R"({"__metadata__":{"a":1}})", "")), HasSubstr("__metadata__"));
  EXPECT_THAT(error_for(std::string(7, '\xff') + std::string(9, '\xff')), HasSubstr("cut off"));
  EXPECT_THAT(error_for(""), HasSubstr("cut off"));
}

TEST_F(SafeTensorsTest, SaysOnceThatAFileIsCutOff) {
  const std::string error =
      error_for(file_of(R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},)"
                        R"("b":{"dtype":"I8","shape":[2],"data_offsets":[4,6]},)"
                        R"("c":{"dtype":"I8","shape":[2],"data_offsets":[6,8]}})",
                        "12345"));
  EXPECT_THAT(error, HasSubstr("cut off before the end of tensor \"b\" and 1 more"));
  EXPECT_THAT(error, HasSubstr("8 bytes of tensors"));
}

TEST_F(SafeTensorsTest, ReportsSeveralWrongTensorsTogether) {
  const std::string error =
      error_for(file_of(R"({"a":{"dtype":"I8","shape":[9],"data_offsets":[0,2]},"b":7})", "12"));
  EXPECT_THAT(error, HasSubstr("\"a\""));
  EXPECT_THAT(error, HasSubstr("\"b\""));
}

TEST_F(SafeTensorsTest, AnAbsentFileAFolderAndAWrongNameAreErrors) {
  EXPECT_THAT(error_of([&] { (void)SafeTensors::open(folder_ / "absent"); }), HasSubstr("absent"));
  EXPECT_THAT(error_of([&] { (void)SafeTensors::open(folder_); }), HasSubstr("a folder"));
  const SafeTensors file = SafeTensors::open(
      put("x", file_of(R"({"weight":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}})", "1")));
  EXPECT_THAT(error_of([&] { (void)file.at("weights"); }), HasSubstr("did you mean \"weight\"?"));
}

class ShardsTest : public SafeTensorsTest {
 protected:
  ShardsTest() {
    const std::vector<TensorView> first{view_of("a", DType::i8, {1}, "1")};
    const std::vector<TensorView> second{view_of("b", DType::i8, {1}, "2")};
    write_safetensors(folder_ / "m1.safetensors", first, {{"format", "pt"}});
    write_safetensors(folder_ / "m2.safetensors", second);
  }
  std::string error_with_index(std::string_view index) {
    put("model.safetensors.index.json", index);
    return error_of([&] { (void)SafeTensors::open_folder(folder_); });
  }
};

TEST_F(ShardsTest, AreOneSet) {
  put("model.safetensors.index.json",
      R"({"weight_map": {"a": "m1.safetensors", "b": "m2.safetensors"}})");
  const SafeTensors set = SafeTensors::open_folder(folder_);
  EXPECT_THAT(set.names(), ElementsAre("a", "b"));
  EXPECT_EQ(bytes_of(set.at("b")), "2");
  EXPECT_EQ(set.metadata().at("format"), "pt");
}

TEST_F(ShardsTest, MustAgreeWithTheirIndex) {
  EXPECT_THAT(error_with_index(R"({"weight_map": {"a": "m1.safetensors", "c": "m2.safetensors"}})"),
              testing::AllOf(HasSubstr("lacks tensor \"c\""), HasSubstr("has tensor \"b\"")));
  EXPECT_THAT(error_with_index(R"({"weight_map": {"a": "../m1.safetensors"}})"),
              HasSubstr("no file of this folder"));
  EXPECT_THAT(error_with_index(R"({"weight_map": {"a": "m3.safetensors", "b": "m4.safetensors"}})"),
              testing::AllOf(HasSubstr("m3"), HasSubstr("m4")));
  EXPECT_THAT(error_with_index("{}"), HasSubstr("without weight_map"));
}

TEST_F(ShardsTest, APickleIsRefusedWithTheWayOut) {
  EXPECT_THAT(error_of([&] { (void)SafeTensors::open_folder(folder_); }), HasSubstr("neither"));
  put("pytorch_model.bin", "x");
  EXPECT_THAT(error_of([&] { (void)SafeTensors::open_folder(folder_); }),
              HasSubstr("safe_serialization"));
}

}  // namespace
}  // namespace espalier
