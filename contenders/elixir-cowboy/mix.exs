defmodule ChaosChat.MixProject do
  use Mix.Project

  def project do
    [
      app: :chaos_chat,
      version: "1.0.0",
      elixir: "~> 1.14",
      start_permanent: Mix.env() == :prod,
      elixirc_options: [warnings_as_errors: true],
      deps: deps(System.get_env("COWBOY_FROM", "hex")),
      releases: [chaos_chat: [include_executables_for: [:unix]]]
    ]
  end

  def application do
    [mod: {ChaosChat.Application, []}, extra_applications: [:cowboy, :logger]]
  end

  # "path": compiled already and found by ERL_LIBS (build.sh).
  defp deps("path"), do: []
  defp deps("hex"), do: [{:cowboy, "~> 2.12"}]
end
