defmodule ChaosChat.ProtocolTest do
  use ExUnit.Case, async: true

  alias ChaosChat.Protocol

  defp parse(text, routing \\ :scan), do: Protocol.parse(text, routing)

  test "knows the contract's messages" do
    assert parse(~S({"type":"join","room":"a.B_9-"})) == {:join, "a.B_9-"}
    assert parse(~S({"type":"echo","from":"c1","seq":3,"at":0,"text":"ü"})) == :echo

    assert parse(~S({"type":"say","room":"r","from":"","seq":10,"at":5,"text":""})) ==
             {:say, "r"}

    assert parse(~S({"type":"crash"})) == :crash
  end

  test "accepts any JSON string as text" do
    for text <- [~S(\" \\ \/ \b\f\n\r\t), ~S(\u00e9\uD83D\uDE00), "😀\u007F"] do
      assert parse(~s({"type":"echo","from":"c","seq":1,"at":1,"text":"#{text}"})) ==
               :echo
    end
  end

  test "answers what only begins like a message with an error" do
    for text <- [
          ~S({"type":"echo"}),
          ~S({"type":"echo","from":"c","seq":1,"at":1,"text":"x"),
          ~S({"type":"echo","from":"c","seq":1,"at":1,"text":"x"}}),
          ~S({"type":"echo","from":"c","seq":1,"at":1,"text":"\x"}),
          ~S({"type":"echo","from":"c","seq":1,"at":1,"text":"\u12g4"}),
          ~s({"type":"echo","from":"c","seq":1,"at":1,"text":"\n"}),
          ~S({"type":"echo","from":"c","seq":01,"at":1,"text":"x"}),
          ~S({"type":"echo","from":"c","seq":1.5,"at":1,"text":"x"}),
          ~S({"type":"echo","from":"c","seq":,"at":1,"text":"x"}),
          ~S({"type":"echo","from":"c","at":1,"seq":1,"text":"x"}),
          ~S({"type":"say","room":"","from":"c","seq":1,"at":1,"text":"x"}),
          ~S({"type":"say","room":"a b","from":"c","seq":1,"at":1,"text":"x"}),
          ~S({"type":"join","room":"ü"}),
          ~S({"type":"join","room":"a"} ),
          ~S({"type":"crash"} ),
          ~S({"type":"leave"}),
          ~S({ "type":"crash"}),
          "null",
          ""
        ] do
      assert {:error, _reason} = parse(text)
    end
  end

  test "limits room names to 64 characters" do
    longest = String.duplicate("r", 64)
    assert parse(~s({"type":"join","room":"#{longest}"})) == {:join, longest}
    assert {:error, _} = parse(~s({"type":"join","room":"#{longest}r"}))
  end

  test "looks at the leading bytes only, when told so" do
    assert parse(~S({"type":"echo","from":"nonsense), :prefix) == :echo
    assert parse(~S({"type":"say","room":"r","from":"nonsense), :prefix) == {:say, "r"}

    for text <- [
          ~S({"type":"say","room":"a b","from":""}),
          ~S({"type":"say","room":"r"}),
          ~S({"type":"join","room":"a"} ),
          ~S({"type":"leave"})
        ] do
      assert {:error, _reason} = parse(text, :prefix)
    end
  end
end
