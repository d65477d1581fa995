/** The workflows of .github: what they may do, what they run, and that nothing in them can change under its name. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { PACKAGE_ROOT } from './test-support/run-cli.ts'

interface Job {
  needs?: string
  'timeout-minutes': number
  permissions?: Record<string, string>
  strategy?: { matrix: { node: string[] } }
  steps: { uses?: string; run?: string; env?: Record<string, string>; with?: Record<string, unknown> }[]
}

interface Workflow {
  on: Record<string, { tags?: string[] } | null>
  permissions: Record<string, string>
  jobs: Record<string, Job>
}

const FOLDER = join(PACKAGE_ROOT, '.github', 'workflows')
const NAMES = readdirSync(FOLDER)
const textOf = (name: string) => readFileSync(join(FOLDER, name), 'utf8')
const workflowOf = (name: string) => parse(textOf(name)) as Workflow
const MANIFEST = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'))

describe.each(NAMES)('%s', name => {
  const steps = Object.values(workflowOf(name).jobs).flatMap(({ steps }) => steps)

  test('pins every action to a commit, with its version beside it', () => {
    const uses = textOf(name)
      .split('\n')
      .filter(line => line.includes('uses:'))
    expect(uses.length).toBeGreaterThan(0)
    for (const line of uses) expect(line).toMatch(/uses: actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  test('may read the repository and nothing else, and never keeps the credentials of the checkout', () => {
    const { permissions, on, jobs } = workflowOf(name)
    expect(permissions).toEqual({ contents: 'read' })
    expect(Object.keys(on).filter(event => !['push', 'pull_request'].includes(event))).toEqual([])
    for (const [job, { permissions: own = {} }] of Object.entries(jobs))
      expect(own, job).toEqual(job === 'publish' ? { contents: 'read', 'id-token': 'write' } : {})
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
    for (const step of checkouts) expect(step.with).toMatchObject({ 'persist-credentials': false })
  })

  test('has a time limit in each job, and no expression, secret or host in a command', () => {
    for (const job of Object.values(workflowOf(name).jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0)
    for (const { run = '' } of steps) expect(run).not.toContain('${{')
    expect(textOf(name)).not.toContain('secrets.')
    const hosts = [...textOf(name).matchAll(/https?:\/\/([\w.-]+)/g)].map(([, host]) => host)
    expect(hosts.filter(host => host !== 'registry.npmjs.org')).toEqual([])
  })

  test('runs scripts that exist', () => {
    const scripts = steps.flatMap(({ run = '' }) => [...run.matchAll(/npm run (?:--silent )?([\w:-]+)/g)])
    for (const [, script] of scripts) expect(MANIFEST.scripts).toHaveProperty([script!])
  })
})

test('the matrix has the oldest Node of "engines", and the project says the same in each place', () => {
  const oldest = /^>=(\d+\.\d+)$/.exec(MANIFEST.engines.node)![1]!
  expect(workflowOf('ci.yml').jobs.matrix!.strategy!.matrix.node[0]).toMatch(new RegExp(`^${oldest}\\.0$`))
  const [, major, minor] = /OLDEST = \[(\d+), (\d+)\]/.exec(
    readFileSync(join(PACKAGE_ROOT, 'src', 'node-version.ts'), 'utf8'),
  )!
  expect(`${major}.${minor}`).toBe(oldest)
  expect(readFileSync(join(PACKAGE_ROOT, 'README.md'), 'utf8')).toContain(`Node ${oldest}`)
})

test('"engines" ask for no older Node than the packages that are installed with ours', () => {
  const lowest = (range: string) =>
    range
      .match(/(\d+)(?:\.(\d+))?/)!
      .slice(1, 3)
      .map(part => Number(part ?? 0))
  const [major, minor] = lowest(MANIFEST.engines.node)
  for (const name of Object.keys(MANIFEST.dependencies)) {
    const { engines } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'node_modules', name, 'package.json'), 'utf8'))
    if (!engines?.node) continue
    expect(engines.node, name).toMatch(/^>= ?\d/)
    const [theirMajor, theirMinor] = lowest(engines.node)
    expect(major! > theirMajor! || (major === theirMajor && minor! >= theirMinor!), name).toBe(true)
  }
})

test('a release is tested, checked against its tag, and published with provenance', () => {
  const { on, jobs } = workflowOf('release.yml')
  expect(on).toEqual({ push: { tags: ['v*'] } })
  expect(jobs.publish!.needs).toBe('test')
  expect(jobs.test!.steps.at(-1)!.run).toBe('.ci/run')
  const commands = jobs.publish!.steps.flatMap(({ run }) => run ?? [])
  expect(commands.slice(-4)).toEqual([
    'npm ci',
    'npm run check:release',
    'npm run check:package',
    'npm publish --provenance --access public',
  ])
})
