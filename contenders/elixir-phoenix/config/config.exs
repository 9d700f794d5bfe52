import Config

# stdout stays empty: a contender talks on stderr. Nothing is logged in the path of messages.
config :logger, :default_handler, config: [type: :standard_error]
config :logger, level: :warning

config :phoenix, :json_library, Jason
config :phoenix, :logger, false

config :chaos_chat, ChaosChatWeb.Endpoint,
  adapter: Bandit.PhoenixAdapter,
  pubsub_server: ChaosChat.PubSub,
  check_origin: false,
  server: true
