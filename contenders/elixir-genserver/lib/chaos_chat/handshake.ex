defmodule ChaosChat.Handshake do
  @moduledoc """
  The HTTP part: the upgrade of `/ws` (RFC 6455, section 4.2), `/stats`, and a 4xx for the rest.

  Pure, and parsed by the VM's own `:erlang.decode_packet/3`.
  """

  @guid "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
  @max_head_bytes 8_192

  @reasons %{
    101 => "Switching Protocols",
    200 => "OK",
    400 => "Bad Request",
    404 => "Not Found",
    405 => "Method Not Allowed",
    408 => "Request Timeout",
    426 => "Upgrade Required",
    431 => "Request Header Fields Too Large",
    503 => "Service Unavailable"
  }

  @type outcome ::
          {:upgrade, response :: iodata, rest :: binary}
          | :stats
          | {:refuse, response :: iodata}
          | :more

  @doc "Reads a request. `rest` is what came behind it, which may be the client's first frames."
  @spec parse(binary) :: outcome
  def parse(buffer) do
    case :binary.split(buffer, "\r\n\r\n") do
      [head, _rest] when byte_size(head) > @max_head_bytes -> refuse(431, "head too large")
      [head, rest] -> head |> decode() |> route(rest)
      [head] when byte_size(head) > @max_head_bytes -> refuse(431, "head too large")
      [_head] -> :more
    end
  end

  @doc "A complete response that ends the connection."
  @spec response(100..599, [{String.t(), String.t()}], String.t()) :: iodata
  def response(status, headers, body) do
    length = {"Content-Length", Integer.to_string(byte_size(body))}
    [head(status, [{"Connection", "close"}, length | headers]), body]
  end

  defp decode(head) do
    with {:ok, {:http_request, method, target, version}, rest} <-
           :erlang.decode_packet(:http_bin, head <> "\r\n\r\n", []),
         {:ok, headers} <- decode_headers(rest, %{}) do
      {method, path(target), version, headers}
    else
      _ -> :error
    end
  end

  defp decode_headers(lines, headers) do
    case :erlang.decode_packet(:httph_bin, lines, []) do
      {:ok, {:http_header, _, name, _, value}, rest} ->
        name = name |> to_string() |> String.downcase(:ascii)

        # Repeated headers are one list (RFC 9110, section 5.3); a repeated key is then no valid key.
        decode_headers(rest, Map.update(headers, name, value, &(&1 <> "," <> value)))

      {:ok, :http_eoh, ""} ->
        {:ok, headers}

      _ ->
        :error
    end
  end

  defp path({:abs_path, target}), do: target |> String.split("?", parts: 2) |> hd()
  defp path({:absoluteURI, _scheme, _host, _port, target}), do: path({:abs_path, target})
  defp path(_target), do: nil

  defp route({:GET, "/ws", version, headers}, rest), do: upgrade(version, headers, rest)
  defp route({:GET, "/stats", _version, _headers}, _rest), do: :stats

  defp route({_method, path, _version, _headers}, _rest) when path in ["/ws", "/stats"],
    do: refuse(405, "only GET", [{"Allow", "GET"}])

  defp route({_method, _path, _version, _headers}, _rest), do: refuse(404, "only /ws and /stats")
  defp route(:error, _rest), do: refuse(400, "not HTTP")

  defp upgrade(version, headers, rest) do
    key = Map.get(headers, "sec-websocket-key", "")

    cond do
      version < {1, 1} or not Map.has_key?(headers, "host") ->
        refuse(400, "an upgrade takes HTTP/1.1 and a Host")

      not (token?(headers, "upgrade", "websocket") and token?(headers, "connection", "upgrade")) ->
        refuse(426, "only WebSocket", upgrade_headers())

      headers["sec-websocket-version"] != "13" ->
        refuse(426, "only version 13", upgrade_headers())

      not match?({:ok, <<_::binary-size(16)>>}, Base.decode64(key)) ->
        refuse(400, "Sec-WebSocket-Key is not 16 bytes in Base64")

      true ->
        {:upgrade, head(101, switch(key)), rest}
    end
  end

  defp switch(key) do
    accept = Base.encode64(:crypto.hash(:sha, key <> @guid))
    [{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", accept}]
  end

  # Section 4.4: a server that cannot go on says which version it speaks.
  defp upgrade_headers, do: [{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}]

  defp token?(headers, name, token) do
    headers
    |> Map.get(name, "")
    |> String.downcase(:ascii)
    |> String.split(",")
    |> Enum.any?(&(String.trim(&1) == token))
  end

  defp refuse(status, reason, headers \\ []) do
    {:refuse, response(status, [{"Content-Type", "text/plain"} | headers], reason <> "\n")}
  end

  defp head(status, headers) do
    [
      "HTTP/1.1 #{status} #{Map.fetch!(@reasons, status)}\r\n",
      Enum.map(headers, fn {name, value} -> [name, ": ", value, "\r\n"] end),
      "\r\n"
    ]
  end
end
