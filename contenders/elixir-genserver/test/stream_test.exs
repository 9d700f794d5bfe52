defmodule ChaosChat.WebSocket.StreamTest do
  use ExUnit.Case, async: true

  import ChaosChat.Client, only: [frame: 2, frame: 3]

  alias ChaosChat.WebSocket.{Stream, UTF8}

  # "κόσμε €😀" has characters of one to four bytes.
  @text "a κόσμε €😀"

  test "puts fragments together, with control frames between them" do
    <<one::binary-size(7), two::binary-size(8), three::binary>> = @text

    bytes =
      frame(0x1, one, 0x01) <>
        frame(0x9, "ping") <>
        frame(0x0, "", 0x00) <> frame(0x0, two, 0x00) <> frame(0xA, "") <> frame(0x0, three)

    assert events(bytes) == [{:ping, "ping"}, {:text, @text}]

    assert events(bytes <> frame(0x1, "next")) == [
             {:ping, "ping"},
             {:text, @text},
             {:text, "next"}
           ]
  end

  test "gives the same events however the bytes are cut" do
    bytes = frame(0x1, "a", 0x01) <> frame(0x9, "b") <> frame(0x0, "c") <> frame(0x1, @text)
    whole = events(bytes)

    for size <- 1..byte_size(bytes) do
      pieces = for <<piece::binary-size(size) <- bytes>>, do: piece
      rest = binary_part(bytes, size * length(pieces), rem(byte_size(bytes), size))
      assert events(pieces ++ [rest]) == whole
    end
  end

  test "refuses wrong sequences of fragments" do
    assert [{:fail, 1002, _}] = events(frame(0x0, "x"))
    assert [{:fail, 1002, _}] = events(frame(0x1, "x", 0x01) <> frame(0x1, "y"))
    assert [{:fail, 1003, _}] = events(frame(0x2, "x"))
  end

  test "counts the fragments of a message together" do
    half = :binary.copy("x", 32_768)
    start = frame(0x1, half, 0x01)
    whole = half <> half
    assert [{:text, ^whole}] = events(start <> frame(0x0, half))
    assert [{:fail, 1009, _}] = events(start <> frame(0x0, half <> "x"))
  end

  test "refuses text that is not UTF-8 as soon as no continuation could help" do
    for bad <- [
          <<0xC0>>,
          <<0xED, 0xA0>>,
          <<0xF4, 0x90>>,
          <<0xE0, 0x80>>,
          <<0x80>>,
          <<"abcdefg", 0xFF>>
        ] do
      assert [{:fail, 1007, _}] = events(frame(0x1, bad, 0x01))
      assert [{:fail, 1007, _}] = events(frame(0x1, bad))
    end

    assert [{:fail, 1007, _}] = events(frame(0x1, <<0xE2, 0x82>>))
    assert [{:fail, 1007, _}] = events(frame(0x1, <<0xE2, 0x82>>, 0x01) <> frame(0x0, ""))
    assert [{:text, "€"}] = events(frame(0x1, <<0xE2, 0x82>>, 0x01) <> frame(0x0, <<0xAC>>))
  end

  test "accepts every code point, cut at every byte" do
    for point <- [0x24, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF] do
      text = <<point::utf8>>

      for size <- 0..byte_size(text) do
        <<head::binary-size(size), rest::binary>> = text
        assert {:ok, tail} = UTF8.check("", head)
        assert UTF8.check(tail, rest) == {:ok, ""}
      end
    end
  end

  defp events(bytes) when is_binary(bytes), do: events([bytes])

  defp events(pieces) do
    {_stream, events} =
      Enum.reduce(pieces, {%Stream{}, []}, fn piece, {stream, events} ->
        drain(Stream.push(stream, piece), events)
      end)

    Enum.reverse(events)
  end

  defp drain(stream, events) do
    case Stream.next(stream) do
      {:more, stream} -> {stream, events}
      {{:fail, _, _} = failure, stream} -> {stream, [failure | events]}
      {event, stream} -> drain(stream, [event | events])
    end
  end
end
