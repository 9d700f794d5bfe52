defmodule ChaosChat.Protocol do
  @moduledoc """
  The messages of CONTRACT.md, recognised by their leading bytes, which the fixed key order allows.

  What is behind the prefix can be checked against the message's one shape, to the last byte and without
  decoding it: something that only begins like an echo is then an error and is not passed on.
  """

  @type message ::
          :echo
          | {:join, ChaosChat.Server.room()}
          | {:say, ChaosChat.Server.room()}
          | :crash
          | {:error, reason :: String.t()}

  @type routing :: :scan | :prefix

  @max_room 64

  defguardp room?(c)
            when c in ?a..?z or c in ?A..?Z or c in ?0..?9 or c == ?. or c == ?_ or c == ?-

  @doc """
  What a text (valid UTF-8) asks for. A room in it is a copy: it may be kept for long.

  With `:scan`, the content of an echo or a say is checked too; with `:prefix`, nobody looks at it.
  """
  @spec parse(String.t(), routing) :: message
  def parse(~s({"type":"echo","from":") <> rest, routing) do
    if routing == :prefix or content?(rest), do: :echo, else: {:error, "malformed echo"}
  end

  def parse(~s({"type":"say","room":") <> rest, routing) do
    with {room, ~s(","from":") <> rest} <- room(rest),
         true <- routing == :prefix or content?(rest) do
      {:say, room}
    else
      _ -> {:error, "malformed say"}
    end
  end

  def parse(~s({"type":"join","room":") <> rest, _routing) do
    case room(rest) do
      {room, ~s("})} -> {:join, room}
      _ -> {:error, "malformed join"}
    end
  end

  def parse(~s({"type":"crash"}), _routing), do: :crash
  def parse(_text, _routing), do: {:error, "unknown message"}

  @spec joined(ChaosChat.Server.room()) :: String.t()
  def joined(room), do: ~s({"type":"joined","room":"#{room}"})

  @doc "An error message. The reasons are this module's own and need no escaping."
  @spec error(String.t()) :: String.t()
  def error(reason), do: ~s({"type":"error","reason":"#{reason}"})

  defp room(rest) do
    case room_length(rest, 0) do
      length when length in 1..@max_room ->
        <<room::binary-size(length), rest::binary>> = rest
        {:binary.copy(room), rest}

      _ ->
        :error
    end
  end

  defp room_length(<<c, rest::binary>>, length) when room?(c) and length <= @max_room,
    do: room_length(rest, length + 1)

  defp room_length(_rest, length), do: length

  # From within the value of "from" to the end.
  defp content?(rest) do
    with ~s(,"seq":) <> rest <- string(rest),
         ~s(,"at":) <> rest <- integer(rest),
         ~s(,"text":") <> rest <- integer(rest) do
      string(rest) == "}"
    else
      _ -> false
    end
  end

  # What follows the string's closing quote (RFC 8259, section 7).
  defp string(<<c, rest::binary>>) when c >= 0x20 and c != ?" and c != ?\\, do: string(rest)
  defp string(<<?", rest::binary>>), do: rest
  defp string(<<?\\, c, rest::binary>>) when c in ~c("\\/bfnrt), do: string(rest)

  defp string(<<?\\, ?u, a, b, c, d, rest::binary>>) do
    if Enum.all?([a, b, c, d], &(&1 in ?0..?9 or &1 in ?a..?f or &1 in ?A..?F)),
      do: string(rest),
      else: :error
  end

  defp string(_rest), do: :error

  # What follows the number (RFC 8259, section 6), which has to be whole.
  defp integer(<<?-, rest::binary>>), do: magnitude(rest)
  defp integer(rest), do: magnitude(rest)

  defp magnitude(<<?0, rest::binary>>), do: rest
  defp magnitude(<<c, rest::binary>>) when c in ?1..?9, do: digits(rest)
  defp magnitude(_rest), do: :error

  defp digits(<<c, rest::binary>>) when c in ?0..?9, do: digits(rest)
  defp digits(rest), do: rest
end
