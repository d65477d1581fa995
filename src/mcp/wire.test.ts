import { text } from 'node:stream/consumers'
import { deserializeMessage } from '@modelcontextprotocol/server'
import { expect, test } from 'vitest'
import { requestFilter } from './wire.ts'

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'

/** Returns what passes, and the answers as id and code. */
async function filtered(...chunks: (string | Buffer)[]) {
  const answers: [id: unknown, code: number][] = []
  const filter = requestFilter(
    1000,
    (id, { code }) => answers.push([id, code]),
    async () => {},
  )
  for (const chunk of chunks) filter.write(chunk)
  filter.end()
  return { passed: await text(filter), answers }
}

test.each([
  ['{', null, -32700],
  ['no JSON', null, -32700],
  ['null', null, -32600],
  ['1', null, -32600],
  ['"x"', null, -32600],
  ['{"id":11,"method":"ping"}', 11, -32600],
  ['{"jsonrpc":"1.0","id":"a","method":"ping"}', 'a', -32600],
  ['{"jsonrpc":"2.0","id":null,"method":"ping"}', null, -32600],
  ['{"jsonrpc":"2.0","id":{},"method":"ping"}', null, -32600],
  ['{"jsonrpc":"2.0","id":2}', 2, -32600],
  ['{"jsonrpc":"2.0","id":3,"method":"ping","params":[]}', 3, -32602],
  ['[{"jsonrpc":"2.0","id":4,"method":"ping"}]', 4, -32600],
  ['[{"jsonrpc":"2.0","id":{},"method":"ping"}]', null, -32600],
  ['[{"id":4}]', 4, -32600],
  ['[1]', null, -32600],
  ['[]', null, -32600],
  ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 1.5, -32600],
  ['{"jsonrpc":"2.0","id":1e16,"method":"ping"}', 1e16, -32600],
  ['{"jsonrpc":"2.0","id":1e400,"method":"ping"}', null, -32600],
  ['{"jsonrpc":"2.0","id":true,"method":"ping"}', null, -32600],
  ['{"jsonrpc":"2.0","id":5,"method":"ping","extra":1}', 5, -32600],
  ['{"jsonrpc":"2.0","id":6,"method":"ping","__proto__":{}}', 6, -32600],
  ['{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}', 7, -32600],
  ['{"jsonrpc":"2.0","id":8,"method":"ping","error":{"code":1,"message":"x"}}', 8, -32600],
  ['{"jsonrpc":"2.0","id":9,"method":"ping","params":null}', 9, -32602],
  ['{"jsonrpc":"2.0","id":10,"method":"ping","params":{"_meta":null}}', 10, -32602],
  ['{"jsonrpc":"2.0","id":11,"method":"ping","params":{"_meta":{"progressToken":1.5}}}', 11, -32602],
  ['{"jsonrpc":"2.0","id":12,"method":"tools/call","params":{"name":"queue","arguments":{},"_meta":5}}', 12, -32602],
])('the line %s is answered, and the next one passes', async (line, id, code) => {
  expect(await filtered(`${line}\n${PING}\n`)).toEqual({ passed: `${PING}\n`, answers: [[id, code]] })
})

test('every line that passes is one that the library reads, over requests with any value in any place', async () => {
  const odd = [
    undefined,
    null,
    0,
    -1,
    1.5,
    1e16,
    '',
    'a',
    true,
    [],
    [1],
    {},
    { progressToken: {} },
    { progressToken: 1 },
  ]
  const places = ['jsonrpc', 'id', 'method', 'params', 'params._meta', 'params.arguments', 'result', 'error', 'other']
  const lines = places.flatMap(place =>
    odd.map(value => {
      const params = place.startsWith('params.') ? { params: { [place.slice(7)]: value } } : { [place]: value }
      return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', ...params })
    }),
  )
  for (const line of lines) {
    const { passed, answers } = await filtered(`${line}\n`)
    if (passed === '') expect([line, answers.length]).toEqual([line, 1])
    else expect(() => deserializeMessage(passed.trim()), line).not.toThrow()
  }
})

test('messages pass: requests, notifications, answers of the client', async () => {
  const lines = [
    PING,
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    '{"jsonrpc":"2.0","id":1,"result":{}}',
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no JSON"}}',
  ].map(line => `${line}\n`)
  expect(await filtered(...lines)).toEqual({ passed: lines.join(''), answers: [] })
})

test('a byte order mark before the first line, blank lines, and a last line without an end', async () => {
  expect(await filtered(`\ufeff${PING}\n`)).toEqual({ passed: `${PING}\n`, answers: [] })
  expect(await filtered(`\n \r\n${PING}\r\n`)).toEqual({ passed: `${PING}\r\n`, answers: [] })
  expect(await filtered(PING.slice(0, 9), PING.slice(9))).toEqual({ passed: `${PING}\n`, answers: [] })
})
