import Config

default_port = if config_env() == :test, do: "0", else: "4000"

port =
  with text <- System.get_env("PORT", default_port),
       {number, ""} when number in 0..65_535 <- Integer.parse(text) do
    number
  else
    _ ->
      raise ArgumentError,
            "PORT is #{inspect(System.get_env("PORT"))}, expected 0 to 65535 (0 lets the system choose)"
  end

variant =
  case System.get_env("CHAOS_VARIANT", "default") do
    "default" ->
      :default

    "article" ->
      :article

    "tuned" ->
      :tuned

    other ->
      raise ArgumentError,
            "CHAOS_VARIANT is #{inspect(other)}, expected default, article or tuned"
  end

config :chaos_chat, host: System.get_env("HOST", "127.0.0.1"), port: port, variant: variant
