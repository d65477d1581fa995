/** What Graphviz itself reads from an export. */
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { STORED_RELATION_KINDS } from '../model/decision-kinds.ts'
import { dotLines } from './export-text.ts'

const hasDot = spawnSync('dot', ['-V']).status === 0

test.skipIf(!hasDot)('Graphviz reads titles and relations as they are', () => {
  const hostile = ['"', '\\', '\\"', '\\N', '-->', '];', '<b>', '漢字', 'é', '//', '/*', '#', "'", '{', '}']
  const titles = fc.sample(
    fc.array(fc.constantFrom(...hostile), { minLength: 1 }).map(parts => parts.join(' ')),
    50,
  )
  const nodes = titles.map((title, n) => ({ id: `T-${n}`, title, state: 'open', phase: 'open' }))
  const edges = STORED_RELATION_KINDS.map((kind, n) => ({ ticket: `T-${n}`, kind, other: `T-${n + 1}` }))
  const { stdout, stderr, status } = spawnSync('dot', ['-Tdot_json'], {
    input: [...dotLines(nodes, edges)].join(''),
    encoding: 'utf8',
  })
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  const read = JSON.parse(stdout) as { objects: { name: string; label: string }[]; edges: { label: string }[] }
  // Graphviz shows a label after its own escapes, of which "\\" is a backslash.
  expect(read.objects.map(({ name, label }) => `${name} ${label.replaceAll('\\\\', '\\')}`)).toEqual(
    nodes.map(({ id, title }) => `${id} ${id} (open): ${title}`),
  )
  expect(read.edges.map(({ label }) => label).sort()).toEqual(['before', 'blocks', 'conflict', 'contains', 'related'])
})
