/** What keeps a commit from being released under a tag. */
export interface Release {
  /** As git has it: "v1.2.3". */
  tag: string
  /** As GitHub has it: "owner/name". */
  repository: string
  manifest: { version: string; repository?: string | { url: string } }
  changelog: string
}

/** Returns a line for each thing that is missing; none where the release may go out. */
export function releaseProblems({ tag, repository, manifest, changelog }: Release): string[] {
  const problems: string[] = []
  const { version } = manifest
  if (tag !== `v${version}`) problems.push(`the tag is "${tag}", and package.json has version ${version}`)
  const lines = changelog.split('\n')
  const start = lines.findIndex(line => line.startsWith(`## ${version} - `))
  const date = lines[start]?.slice(`## ${version} - `.length)
  if (start === -1) problems.push(`CHANGELOG.md has no section "## ${version} - <date>"`)
  else if (!/^\d{4}-\d\d-\d\d$/.test(date!)) problems.push(`CHANGELOG.md: the date of ${version} is "${date}"`)
  const unreleased = changelog.split(/^## Unreleased$/m)[1]?.split(/^## /m)[0]
  if (unreleased === undefined) problems.push('CHANGELOG.md has no section "## Unreleased"')
  else if (/^- /m.test(unreleased)) problems.push(`CHANGELOG.md: move what is unreleased to the section of ${version}`)
  const url = typeof manifest.repository === 'string' ? manifest.repository : manifest.repository?.url
  const named = url?.replace(/^.*github(?:\.com)?[:/]/, '').replace(/\.git$/, '')
  if (named !== repository)
    problems.push(
      `package.json: repository is "${url ?? ''}"; provenance needs that of ${repository || 'the workflow'}`,
    )
  return problems
}
