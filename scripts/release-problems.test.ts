import { expect, test } from 'vitest'
import { type Release, releaseProblems } from './release-problems.ts'

const RELEASE: Release = {
  tag: 'v1.2.3',
  repository: 'someone/plan',
  manifest: { version: '1.2.3', repository: { url: 'git+https://github.com/someone/plan.git' } },
  changelog: '# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2026-12-01\n\n### Added\n\n- A thing.\n',
}

test('a release with tag, changelog and repository may go out', () => {
  expect(releaseProblems(RELEASE)).toEqual([])
  expect(releaseProblems({ ...RELEASE, manifest: { version: '1.2.3', repository: 'github:someone/plan' } })).toEqual([])
})

test.each<[string, Partial<Release>, RegExp]>([
  ['another tag', { tag: 'v1.2.4' }, /the tag is "v1.2.4"/],
  ['no section', { changelog: '## Unreleased\n\n## 1.2.2 - 2026-01-01\n' }, /no section "## 1.2.3/],
  ['no date', { changelog: '## Unreleased\n\n## 1.2.3 - soon\n' }, /the date of 1.2.3 is "soon"/],
  ['lines left over', { changelog: '## Unreleased\n\n- X\n\n## 1.2.3 - 2026-12-01\n' }, /move what is unreleased/],
  ['no place for later lines', { changelog: '## 1.2.3 - 2026-12-01\n' }, /no section "## Unreleased"/],
  ['no repository', { manifest: { version: '1.2.3' } }, /repository is ""; provenance needs that of someone\/plan/],
  ['a fork', { repository: 'other/plan' }, /provenance needs that of other\/plan/],
])('%s is one problem', (_, change, message) => {
  expect(releaseProblems({ ...RELEASE, ...change })).toEqual([expect.stringMatching(message)])
})
