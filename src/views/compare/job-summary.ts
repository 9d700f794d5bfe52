import { appendFileSync } from "node:fs";

/**
 * Adds a section to the page that GitHub Actions shows for a job, when there is one.
 *
 * @returns why it could not be written, or null; a summary is never worth failing for
 * @source "Workflow commands for GitHub Actions": GITHUB_STEP_SUMMARY names a file to append Markdown to
 */
export function appendJobSummary(
  env: Readonly<Record<string, string | undefined>>,
  markdown: string,
): string | null {
  const path = env.GITHUB_STEP_SUMMARY;
  if (path === undefined || path === "") return null;
  try {
    appendFileSync(path, `${markdown}\n`);
    return null;
  } catch (error) {
    return `the job summary ${path} could not be written: ${error instanceof Error ? error.message : error}`;
  }
}
