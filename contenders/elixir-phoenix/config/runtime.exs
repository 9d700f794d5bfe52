import Config

text = System.get_env("PORT", "4000")

port =
  case Integer.parse(text) do
    {number, ""} when number in 1..65_535 -> number
    _ -> raise ArgumentError, "PORT is #{inspect(text)}, expected 1 to 65535"
  end

{:ok, address} = :inet.getaddr(~c"#{System.get_env("HOST", "127.0.0.1")}", :inet)

config :chaos_chat, ChaosChatWeb.Endpoint,
  http: [
    ip: address,
    port: port,
    http_options: [log_protocol_errors: false],
    websocket_options: [max_fragmented_message_size: 65_536],
    # The kernel cuts the backlog down to net.core.somaxconn.
    thousand_island_options: [transport_options: [backlog: 4_096], num_connections: :infinity]
  ]
