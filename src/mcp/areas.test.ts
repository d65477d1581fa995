/** Areas that an agent records through the tools alone. */
import type { CallToolResult } from '@modelcontextprotocol/server'
import { expect, test } from 'vitest'
import { openStore } from '../store/store.ts'
import { putTicket, readTicketJson, temporaryRepository } from '../test-support/temporary-repository.ts'
import { folders } from './folders.ts'
import { toolsOf } from './tools.ts'

// biome-ignore lint/suspicious/noExplicitAny: documents are looked into by assertions alone
type Loose = Record<string, any>

test('a Ticket that touches the paths of one that is taken is held, in consult, queue, accept and brief', () => {
  using repository = temporaryRepository()
  const { root } = repository
  for (const id of ['A', 'B', 'C']) putTicket(root, id, { state: 'queued' })
  const store = openStore({ root, actor: 'anna' }, { session: 'mcp-1' })
  const tools = toolsOf(
    folders(store, () => store),
    false,
  )
  const textOf = (tool: string, given: object) => {
    const { content, isError } = tools.call(tool, given) as CallToolResult
    const [block] = content
    const text = block?.type === 'text' ? block.text : ''
    expect(isError, text).toBeFalsy()
    return text
  }
  const call = (tool: string, given: object) => JSON.parse(textOf(tool, given)) as Loose
  const touch = (ticket: string, ...paths: string[]) => call('record', { ticket, kind: 'touches', paths })

  expect(touch('A', 'src/menu/**', 'docs/menu.md')).toMatchObject({
    created: true,
    decision: { kind: 'touches', paths: ['docs/menu.md', 'src/menu/**'] },
  })
  touch('B', 'src/menu/item.ts')
  touch('C', 'lib/**')
  expect(readTicketJson(root, 'tickets/B.json').decisions).toMatchObject([
    { kind: 'touches', paths: ['src/menu/item.ts'] },
  ])
  for (const ticket of ['A', 'B', 'C'])
    expect(call('consult', { ticket })).toMatchObject({ verdict: 'accept', reasons: [] })

  expect(call('accept', { ticket: 'A', holder: 'pod-1' })).toMatchObject({ accepted: true })
  const held = {
    verdict: 'hold',
    reasons: [{ code: 'area', ticket: 'A', pattern: 'src/menu/item.ts', other_pattern: 'src/menu/**' }],
  }
  expect(call('consult', { ticket: 'B' })).toMatchObject(held)
  const { queue } = call('queue', {})
  const entry = (id: string) => queue.find(({ ticket }: Loose) => ticket.id === id)
  expect(entry('B')).toMatchObject(held)
  expect(entry('C')).toMatchObject({ verdict: 'accept', reasons: [] })
  expect(call('accept', { ticket: 'B', holder: 'pod-2' })).toMatchObject({ accepted: false, reasons: held.reasons })
  expect(textOf('brief', {})).toContain('works where A does (queued): "src/menu/**"')
  store.close()
})
