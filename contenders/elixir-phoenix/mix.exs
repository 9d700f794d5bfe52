defmodule ChaosChat.MixProject do
  use Mix.Project

  def project do
    [
      app: :chaos_chat,
      version: "1.0.0",
      elixir: "~> 1.15",
      start_permanent: Mix.env() == :prod,
      elixirc_options: [warnings_as_errors: true],
      deps: deps(),
      releases: [chaos_chat: [include_executables_for: [:unix]]]
    ]
  end

  def application do
    [mod: {ChaosChat.Application, []}, extra_applications: [:logger]]
  end

  # What `mix phx.new` chooses, as far as channels need it.
  defp deps do
    [
      {:phoenix, "~> 1.8"},
      {:bandit, "~> 1.5"},
      {:jason, "~> 1.2"}
    ]
  end
end
