import Config

# stdout stays empty: a contender talks on stderr. Elixir up to 1.14 reads the first setting, later ones the second.
config :logger, :console, device: :standard_error
config :logger, :default_handler, config: [type: :standard_error]

config :logger, level: if(config_env() == :test, do: :critical, else: :info)
