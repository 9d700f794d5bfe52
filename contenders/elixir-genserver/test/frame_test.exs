defmodule ChaosChat.WebSocket.FrameTest do
  use ExUnit.Case, async: true

  import ChaosChat.Client, only: [frame: 2, frame: 3]

  alias ChaosChat.WebSocket.Frame

  @space 65_536

  test "decodes the masked example of RFC 6455, section 5.7" do
    bytes = <<0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58>>
    assert Frame.decode(bytes, @space) == {:ok, {:text, true, "Hello"}, ""}
  end

  test "decodes every length form and returns what is behind the frame" do
    for size <- [0, 1, 2, 3, 4, 5, 125, 126, 127, 65_535, 65_536] do
      payload = :binary.copy("x", size)
      bytes = frame(0x1, payload) <> "rest"
      assert Frame.decode(bytes, @space) == {:ok, {:text, true, payload}, "rest"}
    end
  end

  test "asks for more until the last byte is there" do
    bytes = frame(0x1, :binary.copy("y", 300))

    for size <- 0..(byte_size(bytes) - 1) do
      assert Frame.decode(binary_part(bytes, 0, size), @space) == :more
    end
  end

  test "refuses what RFC 6455 forbids as soon as the header shows it" do
    for {bytes, code} <- [
          {<<0xC1, 0x80>>, 1002},
          {<<0x83, 0x80>>, 1002},
          {<<0x8B, 0x80>>, 1002},
          {<<0x81, 0x05>>, 1002},
          {<<0x09, 0x80>>, 1002},
          {<<0x89, 0xFE>>, 1002},
          {<<0x81, 0xFE, 125::16>>, 1002},
          {<<0x81, 0xFF, 65_535::64>>, 1002},
          {<<0x81, 0xFF, 1::1, 70_000::63>>, 1002},
          {<<0x81, 0xFF, 65_537::64>>, 1009}
        ] do
      assert {:fail, ^code, _reason} = Frame.decode(bytes, @space)
    end
  end

  test "counts data frames against the space left, but not control frames" do
    assert {:fail, 1009, _} = Frame.decode(frame(0x0, "abc"), 2)
    assert {:ok, {:ping, true, "abc"}, ""} = Frame.decode(frame(0x9, "abc"), 2)
  end

  test "tells fragments from whole messages" do
    assert {:ok, {:text, false, "a"}, ""} = Frame.decode(frame(0x1, "a", 0x01), @space)
    assert {:ok, {:continuation, true, "a"}, ""} = Frame.decode(frame(0x0, "a"), @space)
  end

  test "encodes without a mask, in the shortest form" do
    assert Frame.encode(:text, "Hello") == <<0x81, 5, "Hello">>
    assert <<0x81, 126, 126::16, _::binary-size(126)>> = Frame.encode(:text, pad(126))
    assert <<0x81, 126, 65_535::16, _::binary>> = Frame.encode(:text, pad(65_535))
    assert <<0x81, 127, 65_536::64, _::binary>> = Frame.encode(:text, pad(65_536))
    assert Frame.encode_close(nil) == <<0x88, 0>>
    assert Frame.encode_close(1001, "bye") == <<0x88, 5, 1001::16, "bye">>
  end

  test "knows which close codes may be sent" do
    assert Frame.close_code("") == {:ok, nil}
    for code <- [1000, 1003, 1007, 1014, 3000, 4999], do: assert({:ok, ^code} = close(code))

    for code <- [0, 999, 1004, 1005, 1006, 1015, 2999, 5000],
        do: assert({:fail, 1002, _} = close(code))

    assert {:fail, 1002, _} = Frame.close_code("x")
    assert {:fail, 1007, _} = Frame.close_code(<<1000::16, 0xFF>>)
  end

  defp close(code), do: Frame.close_code(<<code::16, "reason">>)
  defp pad(size), do: :binary.copy("x", size)
end
