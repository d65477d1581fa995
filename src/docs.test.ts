/** The pages of docs/ against what they describe: files, scripts, and lists that exist as definitions in the code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { DECISION_KINDS } from './model/decision-kinds.ts'
import { REASON_HELP } from './model/reasons.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'skills/ticketplan/SKILL.md',
  ...readdirSync(join(root, 'docs')).flatMap(name => (name.endsWith('.md') ? `docs/${name}` : [])),
]
/** Folders of this repository. A path into one of them is a path here; another one is an example. */
const FOLDERS = ['docs', 'examples', 'migrations', 'scripts', 'skills', 'src']

/** The rows of the tables below a heading, without the row of titles: each a list of cells. */
function tableBelow(page: string, heading: string): string[][] {
  const section = page.slice(page.indexOf(`\n${heading}\n`) + heading.length + 2).split(/^## /m)[0]!
  const rows = section.split('\n').filter(line => line.startsWith('|'))
  return rows.slice(2).map(row =>
    row
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}

/** The names in code marks in a cell. */
function namesIn(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([a-z_]+)`/g)].map(([, name]) => name!)
}

test.each(PAGES)('%s: every file and folder that it names exists', page => {
  const text = read(page)
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#\s{]+)/g)].map(([, path]) => join(dirname(page), path!))
  const pattern = new RegExp(
    `(?<![\\w./-])(?:${FOLDERS.join('|')})/[\\w./-]*\\w/?|(?<![\\w/])[\\w.-]+\\.(?:config\\.ts|md)\\b`,
    'g',
  )
  const named = [...text.matchAll(pattern)].map(([path]) => path)
  const beside = (path: string) => existsSync(join(root, path)) || existsSync(join(root, dirname(page), path))
  const FOREIGN = ['AGENTS.md', 'CLAUDE.md', 'SPEC.md', 'WORKFLOW.md', 'Backlog.md', 'item.md']
  expect([...links, ...named].filter(path => !beside(path) && !FOREIGN.includes(path))).toEqual([])
})

test.each(PAGES)('%s: every npm script that it names exists', page => {
  const { scripts } = JSON.parse(read('package.json'))
  const named = [...read(page).matchAll(/npm (?:run |(?=test\b))([\w-]+)/g)].map(([, name]) => name!)
  expect(named.filter(name => !Object.hasOwn(scripts, name))).toEqual([])
})

test('CONTRIBUTING.md names every npm script', () => {
  const { scripts } = JSON.parse(read('package.json'))
  for (const name of Object.keys(scripts)) expect(read('CONTRIBUTING.md'), name).toContain(`\`${name}\``)
})

test('the README names every page of docs/', () => {
  for (const page of PAGES.filter(page => page.startsWith('docs/')))
    expect(read('README.md'), page).toContain(`(${page})`)
})

test.each(['CONTRIBUTING.md', 'docs/design.md'])('%s has a map with every room of src/', page => {
  const rooms = readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter(entry => entry.isDirectory() && entry.name !== 'test-support')
    .map(({ name }) => name)
  for (const room of rooms) expect(read(page), room).toMatch(new RegExp(`^(?:.* |src/)?${room}/(?: |$)`, 'm'))
})

test('docs/format.md has every kind of decision with its fields', () => {
  const rows = tableBelow(read('docs/format.md'), '## Decisions')
  const kinds = new Map(rows.map(([, , kind, fields]) => [namesIn(kind)[0]!, namesIn(fields)]))
  expect([...kinds.keys()].sort()).toEqual(Object.keys(DECISION_KINDS).sort())
  for (const [kind, { fields }] of Object.entries(DECISION_KINDS))
    for (const field of Object.keys(fields)) expect(kinds.get(kind), kind).toContain(field)
})

test('docs/sdk.md has every reason with what it means, in their order', () => {
  const rows = tableBelow(read('docs/sdk.md'), '## Reasons')
  expect(rows.map(([code, when]) => [namesIn(code)[0], when])).toEqual(Object.entries(REASON_HELP))
})
