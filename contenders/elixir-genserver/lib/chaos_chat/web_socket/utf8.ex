defmodule ChaosChat.WebSocket.UTF8 do
  @moduledoc """
  UTF-8 validation of text that arrives in pieces (RFC 6455, sections 5.6 and 8.1), as RFC 3629 defines it:
  no overlong forms, no surrogates, nothing past U+10FFFF.
  """

  import Bitwise

  @doc """
  Checks one piece. `tail` is what the pieces before it left unfinished: at most 3 bytes, at first `""`.

  Returns the new unfinished tail, or `:error` as soon as no continuation could make the text valid.
  """
  @spec check(binary, binary) :: {:ok, binary} | :error
  def check("", piece), do: scan(piece)
  def check(tail, piece), do: scan(tail <> piece)

  @doc "Whether a text is valid as a whole."
  @spec valid?(binary) :: boolean
  def valid?(text), do: scan(text) == {:ok, ""}

  # Seven ASCII bytes at a time: 56 bits are the most that stay a small integer.
  defp scan(<<seven::56, rest::binary>>) when (seven &&& 0x80808080808080) == 0, do: scan(rest)
  defp scan(<<_::utf8, rest::binary>>), do: scan(rest)
  defp scan(""), do: {:ok, ""}
  defp scan(rest), do: if(unfinished?(rest), do: {:ok, :binary.copy(rest)}, else: :error)

  defp unfinished?(<<lead>>), do: lead in 0xC2..0xF4
  defp unfinished?(<<lead, second>>), do: lead in 0xE0..0xF4 and second?(lead, second)

  defp unfinished?(<<lead, second, third>>),
    do: lead in 0xF0..0xF4 and second?(lead, second) and third in 0x80..0xBF

  defp unfinished?(_), do: false

  # The second byte is where overlong forms, surrogates and too large code points show.
  defp second?(0xE0, second), do: second in 0xA0..0xBF
  defp second?(0xED, second), do: second in 0x80..0x9F
  defp second?(0xF0, second), do: second in 0x90..0xBF
  defp second?(0xF4, second), do: second in 0x80..0x8F
  defp second?(_lead, second), do: second in 0x80..0xBF
end
