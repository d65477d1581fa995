import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nested, texts, tickets } from '../test-support/arbitraries.ts'
import { loose } from '../test-support/loose-decision.ts'
import { proofCount, proofSeed, reportProof } from '../test-support/proof-numbers.ts'
import { decodeTicket, encodeTicket } from './canonical-json.ts'
import type { TicketId } from './names.ts'
import { Refusal } from './strict-json.ts'
import { LIMITS } from './text.ts'
import type { Ticket } from './ticket.ts'

const NOTE = '{"at":"2026-06-08T11:30:00.000Z","by":"x","id":"01JX8Z3V7Q4T9K2M5N6P7R8S01","kind":"note"}'
const VALID = `{
  "decisions": [
    ${NOTE}
  ],
  "format": 1,
  "id": "T",
  "state": "open",
  "title": "t"
}
`

const decode = (text: string | Uint8Array, id = 'T') => decodeTicket(Buffer.from(text), id)

/** The valid file with one piece of its text replaced. */
function edited(piece: string, by: string): string {
  if (!VALID.includes(piece)) throw new Error(`the valid file does not hold ${piece}`)
  return VALID.replace(piece, () => by)
}

/** The valid file with other fields in its decision. */
const withDecision = (fields: string) => edited('"kind":"note"', fields)

function refusal(bytes: string | Uint8Array, id = 'T'): Record<string, unknown> {
  try {
    decode(bytes, id)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { code: error.code, ...error.place, message: error.message }
  }
  return { code: 'none' }
}

/** Expects the marked text, without its mark, to be refused at the place of the mark. */
function expectRefused(code: string, marked: string): void {
  const [before, after] = marked.split('▸')
  const lines = before!.split('\n')
  const place = { line: lines.length, column: lines.at(-1)!.length + 1 }
  expect(refusal(before! + after!)).toMatchObject({ code, ...place })
}

/** JSON with the keys of every object in the opposite order, which JSON.stringify cannot write where they are integers. */
function backwards(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(backwards).join(' ,')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? 1 : -1))
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)} : ${backwards(value)}`).join(',')}}`
}

/** JSON in which every character of every string is an escape. */
function escaped(value: unknown): string {
  return JSON.stringify(value).replace(/"(?:[^"\\]|\\.)*"/g, text => {
    const units = Array.from({ length: JSON.parse(text).length }, (_, i) => JSON.parse(text).charCodeAt(i) as number)
    return `"${units.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`
  })
}

describe('golden files', () => {
  const root = join(import.meta.dirname, 'golden')
  const files = readdirSync(root)
    .filter(name => name.startsWith('format-'))
    .flatMap(folder => readdirSync(join(root, folder)).map(name => join(folder, name)))

  test.each(files)('%s is read, and written back byte for byte', file => {
    const bytes = readFileSync(join(root, file))
    const { ticket, canonical } = decode(bytes, basename(file, '.json'))
    expect(canonical).toBe(true)
    expect(ticket).toEqual(JSON.parse(bytes.toString()))
    expect(encodeTicket(ticket)).toBe(bytes.toString())
  })

  test('the example of the format is written as documented', () => {
    const example: Ticket = {
      title: 'Ticket orchestration plan tool',
      slug: 'orchestration-plan-tool',
      id: '00001KTG3MDFG' as TicketId,
      format: 1,
      state: 'queued',
      state_at: '2026-06-08T11:21:13.000Z',
      created_at: '2026-06-07T03:57:10.000Z',
      queued_at: '2026-06-08T11:21:13.000Z',
      queued_by: 'workspace-panel',
      decisions: [
        {
          id: '01JX90YHT3B6C7D8E9F0G1H2J3',
          kind: 'accepted_plan',
          by: 'orchestrator',
          at: '2026-06-08T12:02:11.000Z',
          plan: {
            summary: 'typed plan tool',
            branch: 'impl/plan-tool',
            worktree: '.worktree/plan-tool',
            role_plan: 'one coder, one reviewer',
          },
        },
        {
          id: '01JX8Z3V7Q4T9K2M5N6P7R8S9T',
          kind: 'blocked_by',
          by: 'orchestrator',
          at: '2026-06-08T11:30:00.000Z',
          reason: 'needs the record schema',
          target: '00001KTKMS0VG',
        },
      ],
    }
    const golden = readFileSync(join(root, 'format-1', '00001KTG3MDFG.json'), 'utf8')
    expect(encodeTicket(example)).toBe(golden)
    expect(golden.split('\n').filter(line => line.startsWith('    {"at":'))).toHaveLength(2)
  })
})

describe('writing and reading back', () => {
  test('gives the same Ticket, unknown keys and kinds included', () => {
    const seen = { keys: 0, kinds: 0, inPlans: 0 }
    fc.assert(
      fc.property(tickets, ticket => {
        const { ticket: read, canonical } = decode(encodeTicket(ticket), ticket.id)
        expect(read).toEqual(ticket)
        expect(canonical).toBe(true)
        if ('10' in ticket) seen.keys++
        if (ticket.decisions.some(decision => loose(decision).kind === 'reviewed')) seen.kinds++
        if (ticket.decisions.some(decision => Object.hasOwn(Object(loose(decision).plan), '10'))) seen.inPlans++
      }),
      { numRuns: 1000 },
    )
    expect(Math.min(seen.keys, seen.kinds, seen.inPlans)).toBeGreaterThan(0)
  })

  test('changes no byte of what was written', () => {
    fc.assert(
      fc.property(tickets, ticket => {
        const text = encodeTicket(ticket)
        expect(encodeTicket(decode(text, ticket.id).ticket)).toBe(text)
      }),
    )
  })

  test('writes the same bytes in whatever order keys and decisions were put in', () => {
    const shuffle = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffle)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, value]) => [key, shuffle(value)]),
      )
    }
    fc.assert(
      fc.property(tickets, ticket => {
        const shuffled = shuffle(ticket) as Ticket
        shuffled.decisions.reverse()
        const before = JSON.stringify(shuffled)
        expect(encodeTicket(shuffled)).toBe(encodeTicket(ticket))
        expect(JSON.stringify(shuffled)).toBe(before)
      }),
    )
  })

  test('writes JSON: two spaces, sorted keys, one line for each decision, one final newline', () => {
    fc.assert(
      fc.property(tickets, ticket => {
        const text = encodeTicket(ticket)
        expect(JSON.parse(text)).toEqual(ticket)
        expect(text).not.toContain('\r')
        expect(text.endsWith('}\n') && !text.endsWith('\n\n')).toBe(true)
        const lines = text.split('\n')
        const topKeys = lines
          .filter(line => /^ {2}"/.test(line))
          .map(line => /^ {2}("(?:[^"\\]|\\.)*"):/.exec(line)![1])
        expect(topKeys.map(key => JSON.parse(key!))).toEqual(Object.keys(ticket).sort())
        const start = lines.indexOf('  "decisions": [') + 1
        const perLine = lines.slice(start, start + ticket.decisions.length)
        expect(perLine.map(line => JSON.parse(line.replace(/,$/, '')))).toEqual(ticket.decisions)
      }),
    )
  })

  test('leaves out what is undefined', () => {
    const { ticket } = decode(VALID)
    const decisions = ticket.decisions.map(decision => ({ ...decision, reason: undefined }))
    expect(encodeTicket({ ...ticket, slug: undefined, x: undefined, decisions } as unknown as Ticket)).toBe(VALID)
    expect(encodeTicket({ ...ticket, x: { y: undefined, z: 1 } })).toContain('"x": {\n    "z": 1\n  }')
  })

  test('a Ticket without decisions has an empty list', () => {
    const text = VALID.replace(/\[[^\]]*\]/, '[]')
    expect(text).toContain('"decisions": [],\n')
    expect(decode(text)).toMatchObject({ ticket: { decisions: [] }, canonical: true })
  })

  test.each(['C:\\udder', '\\ud800', '"__proto__"', 'the key __proto__'])('text such as %j is canonical', title => {
    const text = encodeTicket({ ...decode(VALID).ticket, title })
    expect(decode(text)).toMatchObject({ ticket: { title }, canonical: true })
  })
})

describe('files edited by hand', () => {
  const variants: Record<string, (ticket: Ticket, text: string) => string> = {
    'on one line': ticket => JSON.stringify(ticket),
    'indented with four spaces': ticket => JSON.stringify(ticket, null, 4),
    'with CRLF': (_, text) => text.replaceAll('\n', '\r\n'),
    'without the final newline': (_, text) => text.trimEnd(),
    'with an empty line at its end': (_, text) => `${text}\n`,
    'with every key in another order': ticket => backwards(ticket),
    'with every character escaped': ticket => escaped(ticket),
    'with the decisions in another order': ticket =>
      JSON.stringify({ ...ticket, decisions: [...ticket.decisions].reverse() }, null, 2),
  }

  test.each(Object.keys(variants))('a file %s holds the same Ticket', name => {
    fc.assert(
      fc.property(tickets, ticket => {
        const text = encodeTicket(ticket)
        const variant = variants[name]!(ticket, text)
        expect(variant).not.toBe(text)
        expect(decode(variant, ticket.id)).toEqual({ ticket, canonical: false })
      }),
    )
  })

  test('decisions that only stand in another order make the file not canonical', () => {
    const second = NOTE.replace('R8S01', 'R8S00')
    const { ticket, canonical } = decode(edited(NOTE, `${NOTE},\n    ${second}`))
    expect(canonical).toBe(false)
    expect(ticket.decisions.map(({ id }) => id)).toEqual(['01JX8Z3V7Q4T9K2M5N6P7R8S00', '01JX8Z3V7Q4T9K2M5N6P7R8S01'])
  })

  test('a file without the key "decisions" has none', () => {
    const { ticket, canonical } = decode('{"format":1,"id":"T","state":"open","title":"t"}')
    expect(ticket.decisions).toEqual([])
    expect(canonical).toBe(false)
  })

  test('a number that survives may be written otherwise', () => {
    const { ticket, canonical } = decode(edited('"format": 1', '"format": 1.0, "x": [1e2, 100E-2, 0.10]'))
    expect(ticket).toMatchObject({ format: 1, x: [100, 1, 0.1] })
    expect(canonical).toBe(false)
  })
})

describe('bytes that are refused', () => {
  test.each<[string, (string | number[])[], number, number]>([
    ['at the start', [[0xff], '{}'], 1, 1],
    ['after characters of one to four bytes', ['{"aż€🐢', [0xff], '"'], 1, 8],
    ['on a later line', ['{\n\n  "ż": "', [0xc3], '"}'], 3, 9],
    ['in a sequence cut off by the end of the file', ['{\n"', [0xf0, 0x9f, 0x90]], 2, 2],
    ['in a sequence cut off by the end of the line', ['{"a', [0xe2, 0x82], '\n"'], 1, 4],
    ['as a surrogate', ['{"', [0xed, 0xa0, 0x80], '"'], 1, 3],
    ['as an overlong form', ['{"', [0xc0, 0xaf], '"'], 1, 3],
    ['beyond the last code point', ['{"', [0xf4, 0x90, 0x80, 0x80], '"'], 1, 3],
    ['after a replacement character that is valid', ['{"\ufffd\ufffd', [0x80], '"'], 1, 5],
    ['after CRLF', ['{\r\n', [0xfe], ''], 2, 1],
    ['in UTF-16', [[0xff, 0xfe, 0x7b, 0x00]], 1, 1],
  ])('invalid UTF-8 %s', (_, parts, line, column) => {
    const bytes = Buffer.concat(parts.map(part => Buffer.from(part as string)))
    expect(refusal(bytes)).toMatchObject({ code: 'invalid_utf8', line, column })
  })

  test('the place of invalid UTF-8 is the one that a strict decoder stops at', () => {
    const bad = fc.constantFrom([0xff], [0x80], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x90], [0xed, 0xa0, 0x80])
    fc.assert(
      fc.property(fc.array(texts), texts, bad, texts, (lines, before, bytes, after) => {
        const head = [...lines, before].join('\n')
        const { code, line, column } = refusal(
          Buffer.concat([Buffer.from(head), Buffer.from(bytes), Buffer.from(after)]),
        )
        const last = head.split('\n').at(-1)!
        expect({ code, line, column }).toEqual({
          code: 'invalid_utf8',
          line: head.split('\n').length,
          column: last.length + 1,
        })
      }),
      { numRuns: 300 },
    )
  })

  test('a byte order mark', () => {
    expect(refusal(`\ufeff${VALID}`)).toMatchObject({ code: 'bom', line: 1, column: 1 })
  })

  test('a file of more than 1 MiB, while one of exactly 1 MiB is read', () => {
    const padded = (size: number) => VALID + ' '.repeat(size - VALID.length)
    expect(decode(padded(LIMITS.fileBytes)).ticket).toEqual(decode(VALID).ticket)
    expect(refusal(padded(LIMITS.fileBytes + 1)).code).toBe('too_large')
    expect(refusal(Buffer.alloc(LIMITS.fileBytes + 1, 0xff)).code).toBe('too_large')
  })

  test('bytes that are a part of a larger buffer are read alone', () => {
    const whole = Buffer.from(`xx${VALID}yy`)
    expect(decodeTicket(whole.subarray(2, whole.length - 2), 'T').canonical).toBe(true)
    expect(decodeTicket(new Uint8Array(whole.buffer, whole.byteOffset + 2, VALID.length), 'T').canonical).toBe(true)
  })
})

describe('JSON that is refused, and where', () => {
  test.each([
    ['a duplicate key at the top', 'duplicate_key', edited('"format": 1', '"format": 1,\n  ▸"format": 1')],
    ['a duplicate key written with an escape', 'duplicate_key', edited('"id": "T"', '"id": "T", ▸"\\u0069d": "T"')],
    ['a duplicate key in a decision', 'duplicate_key', withDecision('"kind":"note",▸"kind":"note"')],
    ['a duplicate key below an unknown key', 'duplicate_key', edited('1,', '1, "x": {"a": [{"b": 1, ▸"b": 1}]},')],
    ['half of a surrogate pair in a value', 'lone_surrogate', edited('"t"', '▸"\\ud83d"')],
    ['the second half of one in a value', 'lone_surrogate', edited('"t"', '▸"\\uDE00 "')],
    ['half of a surrogate pair in a key', 'lone_surrogate', edited('"title"', '▸"\\udfff": 1, "title"')],
    ['half of a surrogate pair in a decision', 'lone_surrogate', withDecision('"kind":▸"\\ud800"')],
    ['a number too large', 'number', edited('1,', '1, "x": ▸1e400,')],
    ['a number too large with a capital E', 'number', edited('1,', '1, "x": ▸1E999,')],
    ['a number with too many digits', 'number', edited('1,', '1, "x": ▸9007199254740993,')],
    ['a fraction with too many digits', 'number', edited('1,', '1, "x": ▸0.1000000000000000055511151231257827,')],
    ['minus zero', 'number', edited('1,', '1, "x": [▸-0],')],
    ['a number in a decision', 'number', withDecision('"kind":"note","x":▸1e400')],
    ['the key "__proto__"', 'proto_key', edited('"format"', '▸"__proto__": {},\n  "format"')],
    ['the key "__proto__" in its place', 'proto_key', edited('  "decisions"', '  ▸"__proto__": {},\n  "decisions"')],
    ['the key "__proto__" with an escape', 'proto_key', edited('"format"', '▸"\\u005f_proto__": 1, "format"')],
    ['the key "__proto__" in a decision', 'proto_key', withDecision('▸"__proto__":null,"kind":"note"')],
    ['an empty file', 'syntax', '▸'],
    ['a file cut off in a string', 'syntax', edited('"open"', '▸"open"').slice(0, VALID.indexOf('open"') + 2)],
    ['a file cut off before its end', 'syntax', `${VALID.slice(0, -3)}▸`],
    ['a trailing comma', 'syntax', edited('"t"\n}', '"t",\n▸}')],
    ['a comment', 'syntax', edited('"t"', '"t" ▸// why')],
    ['single quotes', 'syntax', edited('"t"', "▸'t'")],
    ['two documents', 'syntax', `${VALID}▸${VALID}`],
    ['a file of null bytes', 'syntax', '▸\0\0\0\0'],
    ['an array', 'schema', '▸[]'],
    ['text', 'schema', '\n ▸"T"'],
    ['null', 'schema', '▸null\n'],
  ])('%s', (_, code, marked) => {
    expectRefused(code, marked)
  })

  const ours = `<<<<<<< HEAD\n    ${NOTE}\n`
  const base = `||||||| 3f2e1d0\n    ${NOTE}\n`
  const theirs = `=======\n    ${NOTE}\n>>>>>>> theirs\n`

  test.each([
    ['merge style', ours + theirs],
    ['diff3 style', ours + base + theirs],
  ])("conflict markers in git's %s", (_, conflict) => {
    const text = edited(`    ${NOTE}\n`, conflict)
    expect(refusal(text)).toMatchObject({ code: 'conflict_markers', line: 3, column: 1 })
    expect(refusal(text.replaceAll('\n', '\r\n'))).toMatchObject({ code: 'conflict_markers', line: 3, column: 1 })
  })

  test('conflict markers between fields', () => {
    const text = edited('  "state": "open",\n', '<<<<<<< a\n  "state": "open",\n=======\n  "state": "x",\n>>>>>>> b\n')
    expect(refusal(text)).toMatchObject({ code: 'conflict_markers', line: 7, column: 1 })
  })
})

describe('depth', () => {
  const withExtension = (levels: number) => ({ ...decode(VALID).ticket, x: nested(levels) }) as Ticket
  const inDecision = (levels: number) => {
    const { ticket } = decode(VALID)
    return { ...ticket, decisions: ticket.decisions.map(decision => ({ ...decision, x: nested(levels) })) } as Ticket
  }

  test.each([
    ['under a key of the file', withExtension, 31],
    ['under a key of a decision', inDecision, 29],
  ])('32 levels are written and read, 33 are neither, %s', (_, build, deepest) => {
    const deep = build(deepest)
    expect(decode(encodeTicket(deep))).toEqual({ ticket: deep, canonical: true })
    expect(decode(JSON.stringify(deep)).ticket).toEqual(deep)
    expect(() => encodeTicket(build(deepest + 1))).toThrow(RangeError)
    expect(refusal(JSON.stringify(build(deepest + 1))).code).toBe('too_deep')
  })

  test('a hundred thousand levels are refused in a file that is otherwise as it should be', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    expect(refusal(edited('"title": "t"', `"title": "t",\n  "x": ${deep}`))).toMatchObject({
      code: 'too_deep',
      line: 9,
      column: 8 + 31,
    })
    expect(refusal(deep).code).toBe('too_deep')
    expect(refusal(withDecision(`"kind":"note","x":${deep}`)).code).toBe('too_deep')
  })
})

describe('content that is refused, and where', () => {
  const plan = (fields: string) => withDecision(`"kind":"accepted_plan","plan":{"summary":""${fields}}`)
  const incomplete = (fields: string) => withDecision(fields).replace('{"at"', '▸{"at"')

  test.each([
    ['an id that is not the name of the file', edited('"T"', '▸"U"')],
    ['an id of another case than the name of the file', edited('"T"', '▸"t"')],
  ])('%s', (_, marked) => {
    expectRefused('id_mismatch', marked)
  })

  test.each([
    ['an id that cannot be the name of a file', edited('"T"', '▸"con"')],
    ['no id', `▸${edited('  "id": "T",\n', '')}`],
    ['no title', `▸${edited(',\n  "title": "t"', '')}`],
    ['no state', `▸${edited('  "state": "open",\n', '')}`],
    ['no format', `▸${edited('  "format": 1,\n', '')}`],
    ['an empty state', edited('"open"', '▸""')],
    ['a format before the first', edited('"format": 1', '"format": ▸0')],
    ['a format that is text', edited('"format": 1', '"format": ▸"1"')],
    ['a title that is null', edited('"t"', '▸null')],
    ['a slug that is null', edited('"state"', '"slug": ▸null, "state"')],
    ['a slug with a capital', edited('"state"', '"slug": ▸"A", "state"')],
    ['decisions that are null', edited(`[\n    ${NOTE}\n  ]`, '▸null')],
    ['decisions that are an object', edited(`[\n    ${NOTE}\n  ]`, '▸{}')],
    ['a decision that is null', edited(NOTE, '▸null')],
    ['a decision that is text', edited(NOTE, '▸"note"')],
    ['two decisions with one id', edited(NOTE, `${NOTE},\n    ${NOTE.replace('"01JX', '▸"01JX')}`)],
    ['a decision without an author', incomplete('"kind":"note"').replace('"by":"x",', '')],
    ['a decision without a time', incomplete('"kind":"note"').replace('"at":"2026-06-08T11:30:00.000Z",', '')],
    ['a decision without a kind', incomplete('"x":1')],
    ['a decision with an empty author', edited('"x"', '▸""')],
    ['a decision of an empty kind', withDecision('"kind":▸""')],
    ['a decision that supersedes nothing', withDecision('"kind":"note","supersedes":▸[]')],
    ['a decision that supersedes no ULID', withDecision('"kind":"x","supersedes":[▸"A"]')],
    ['an after without a target', incomplete('"kind":"after"')],
    ['a blocked_by without a target', incomplete('"kind":"blocked_by"')],
    ['a conflicts_with without a target', incomplete('"kind":"conflicts_with"')],
    ['a related without a target', incomplete('"kind":"related"')],
    ['an accepted_plan without a plan', incomplete('"kind":"accepted_plan"')],
    ['an accepted_plan without a summary', withDecision('"kind":"accepted_plan","plan":▸{}')],
    ['a retraction of nothing', incomplete('"kind":"retraction"')],
    ['a contested value of no field', incomplete('"kind":"contested","lost":1')],
    ['a target that is no Ticket id', withDecision('"kind":"after","target":▸"a b"')],
    ['an advisory that is text', withDecision('"advisory":▸"no","kind":"conflicts_with","target":"A"')],
    ['a pool that is no name', withDecision('"kind":"waiting_for_capacity","pool":▸"a b"')],
    ['an until without Tickets', withDecision('"kind":"waiting_for_capacity","until":▸[]')],
    ['an until that is no Ticket id', withDecision('"kind":"waiting_for_capacity","until":["A",▸"nul"]')],
    ['a pool of a plan that is no name', plan(',"pool":▸""')],
    ['overrides that are no list', withDecision('"kind":"accepted_plan","overrides":▸"after","plan":{"summary":""}')],
  ])('%s', (_, marked) => {
    expectRefused('schema', marked)
  })

  test.each([
    '01JX8Z3V7Q4T9K2M5N6P7R8S0',
    '01JX8Z3V7Q4T9K2M5N6P7R8S001',
    '81JX8Z3V7Q4T9K2M5N6P7R8S01',
    '01JX8Z3V7Q4T9K2M5N6P7R8S0I',
    '01JX8Z3V7Q4T9K2M5N6P7R8S0L',
    '01JX8Z3V7Q4T9K2M5N6P7R8S0O',
    '01JX8Z3V7Q4T9K2M5N6P7R8S0U',
    '01jx8z3v7q4t9k2m5n6p7r8s01',
    '',
  ])('the decision id "%s", which is no ULID', id => {
    expectRefused('schema', edited('"01JX8Z3V7Q4T9K2M5N6P7R8S01"', `▸"${id}"`))
  })

  test.each([
    '2026-06-08T11:30:00Z',
    '2026-06-08T11:30:00.00Z',
    '2026-06-08T11:30:00.000000Z',
    '2026-06-08T11:30:00.000+00:00',
    '2026-06-08T11:30:00.000+02:00',
    '2026-06-08T11:30:00.000',
    '2026-06-08 11:30:00.000Z',
    '2026-06-08t11:30:00.000z',
    '2026-02-30T11:30:00.000Z',
    '2026-02-29T11:30:00.000Z',
    '2026-13-01T11:30:00.000Z',
    '2026-06-08T24:00:00.000Z',
    '2026-06-08T23:59:60.000Z',
    '+002026-06-08T11:30:00.000Z',
    '2026-06-08',
    '',
  ])('the time "%s"', time => {
    expectRefused('schema', edited('"2026-06-08T11:30:00.000Z"', `▸"${time}"`))
    for (const field of ['created_at', 'queued_at', 'state_at']) {
      expectRefused('schema', edited('"state"', `"${field}": ▸"${time}", "state"`))
    }
  })

  test.each([
    '/home/x/wt',
    '/',
    '\\\\wsl$\\home\\x',
    '\\temp',
    '//server/share',
    'C:\\Users\\x',
    'c:/Users/x',
    'C:wt',
    '~/wt',
    '~x/wt',
    'file:///home/x',
    'FILE:wt',
    '',
  ])('the worktree "%s", which is not relative', worktree => {
    expectRefused('schema', plan(`,"worktree":▸${JSON.stringify(worktree)}`))
  })

  test.each([
    '.worktree/plan',
    '../plan',
    'a b/c',
    'a~',
    'żółw',
    '.',
    'a/C:',
  ])('the worktree "%s" is relative', path => {
    expect(loose(decode(plan(`,"worktree":${JSON.stringify(path)}`)).ticket.decisions[0]!).plan!.worktree).toBe(path)
  })

  test.each<[string, number, (text: string) => string]>([
    ['a title', 1024, text => edited('"t"', `"${text}"`)],
    ['a state', 1024, text => edited('"open"', `"${text}"`)],
    ['an author', 1024, text => edited('"x"', `"${text}"`)],
    ['a queued_by', 1024, text => edited('"state"', `"queued_by":"${text}","state"`)],
    ['a label', 1024, text => withDecision(`"kind":"related","label":"${text}","target":"A"`)],
    ['a contested field', 1024, text => withDecision(`"kind":"contested","field":"${text}","lost":1`)],
    ['a branch', 1024, text => plan(`,"branch":"${text}"`)],
    ['a worktree', 1024, text => plan(`,"worktree":"${text}"`)],
    ['a reason', 16384, text => withDecision(`"kind":"note","reason":"${text}"`)],
    ['a reason of an unknown kind', 16384, text => withDecision(`"kind":"x","reason":"${text}"`)],
    ['a role_plan', 16384, text => plan(`,"role_plan":"${text}"`)],
    ['a summary', 16384, text => withDecision(`"kind":"accepted_plan","plan":{"summary":"${text}"}`)],
  ])('%s may have %d bytes of UTF-8 and not one more', (_, bytes, build) => {
    for (const character of ['a', 'ż', '🐢', '€']) {
      const size = Buffer.byteLength(character)
      const longest = character.repeat(Math.floor(bytes / size)) + 'a'.repeat(bytes % size)
      expect(Buffer.byteLength(longest)).toBe(bytes)
      expect(decode(build(longest)).ticket.id).toBe('T')
      expect(refusal(build(`${longest}a`))).toMatchObject({ code: 'schema', line: expect.any(Number) })
    }
  })

  test('more than 10,000 decisions, while 10,000 are read', () => {
    const list = (count: number) =>
      Array.from({ length: count }, (_, i) => NOTE.replace('R8S01', `R${String(i).padStart(4, '0')}`)).map((note, i) =>
        i < 10_000 ? note : note.replace('01JX', '02JX'),
      )
    expect(decode(edited(NOTE, list(10_000).join(',\n    '))).ticket.decisions).toHaveLength(10_000)
    const tooMany = edited(NOTE, list(10_001).join(',\n    '))
    expect(Buffer.byteLength(tooMany)).toBeLessThan(LIMITS.fileBytes)
    expect(refusal(tooMany)).toMatchObject({ code: 'schema', line: 2, column: 16 })
  })

  test('the message names the field', () => {
    expect(refusal(withDecision('"kind":"after"')).message).toContain('decisions[0].target')
    expect(refusal(edited('"T"', '"U"')).message).toContain('"U"')
  })
})

describe('a file of a later format', () => {
  const later = (fields: object, id = 'T') => decode(JSON.stringify({ format: 2, id: 'T', ...fields }), id)

  test('is read as far as it is understood and counts as canonical', () => {
    const decision = JSON.parse(NOTE)
    const { ticket, canonical } = later({
      title: 't',
      state: 'queued',
      queued_at: '2026-06-08T11:30:00.000Z',
      created_at: 'last week',
      slug: ['a', 'b'],
      added: { by: 'format 2' },
      decisions: [decision, null, 'text', { id: 5 }, { ...decision, id: '01JX8Z3V7Q4T9K2M5N6P7R8S00', kind: 'new' }],
    })
    expect(canonical).toBe(true)
    expect(ticket).toEqual({
      format: 2,
      id: 'T',
      title: 't',
      state: 'queued',
      queued_at: '2026-06-08T11:30:00.000Z',
      added: { by: 'format 2' },
      decisions: [{ ...decision, id: '01JX8Z3V7Q4T9K2M5N6P7R8S00', kind: 'new' }, decision],
    })
  })

  test.each([
    ['are absent', {}],
    ['are of another type', { title: { text: 't' }, state: 7, decisions: {} }],
    ['are longer than they may be now', { title: 't'.repeat(2000), state: 's'.repeat(2000) }],
    ['are empty', { title: '', state: '' }],
  ])('has a title, a state and decisions even where they %s', (_, fields) => {
    expect(later(fields).ticket).toEqual({ format: 2, id: 'T', title: '', state: 'unknown', decisions: [] })
  })

  test('has each decision once', () => {
    const { ticket } = later({ decisions: [JSON.parse(NOTE), { ...JSON.parse(NOTE), reason: 'again' }] })
    expect(ticket.decisions).toEqual([JSON.parse(NOTE)])
  })

  test('must still be JSON and bear the id of its file', () => {
    expect(refusal('{"format":2,"id":"T","id":"T"}').code).toBe('duplicate_key')
    expect(refusal('{"format":2,"id":"U"}')).toMatchObject({ code: 'id_mismatch', line: 1, column: 18 })
    expect(refusal('{"format":2,"id":7}')).toMatchObject({ code: 'schema', line: 1, column: 18 })
    expect(refusal('{"format":2}')).toMatchObject({ code: 'schema', line: 1, column: 1 })
    expect(refusal('{"format":2,"id":"CON"}', 'CON').code).toBe('schema')
  })
})

describe('damaged files', () => {
  const pieces = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 3 }),
    fc.constantFrom(' ', 'a', '7').map(text => Buffer.from(text)),
    fc
      .constantFrom(
        '"',
        '\\',
        '\\ud800',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '0',
        '-',
        'e9',
        '\n',
        '\n=======\n',
        'null',
        '__proto__',
      )
      .map(text => Buffer.from(text)),
  )
  const mutations = fc.oneof(
    fc.record({ kind: fc.constant('flip'), at: fc.nat(), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('truncate'), at: fc.nat() }),
    fc.record({ kind: fc.constant('insert'), at: fc.nat(), piece: pieces }),
    fc.record({ kind: fc.constant('remove'), at: fc.nat(), count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant('repeat'), at: fc.nat(), count: fc.integer({ min: 1, max: 40 }) }),
  )

  type Mutation = typeof mutations extends fc.Arbitrary<infer T> ? T : never

  function mutate(bytes: Buffer, mutation: Mutation): Buffer {
    const at = mutation.at % (bytes.length + 1)
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
    if ('bit' in mutation) {
      const copy = Buffer.from(bytes)
      if (at < copy.length) copy[at]! ^= 1 << mutation.bit
      return copy
    }
    if ('piece' in mutation) return Buffer.concat([head, mutation.piece, tail])
    if (!('count' in mutation)) return head
    if (mutation.kind === 'remove') return Buffer.concat([head, tail.subarray(mutation.count)])
    return Buffer.concat([head, tail.subarray(0, mutation.count), tail])
  }

  const numRuns = proofCount({ short: 3000, long: 1_000_000 })
  const seed = proofSeed()

  test('are read as a Ticket that survives writing, or refused: nothing else ever happens', {
    timeout: 20_000 + numRuns * 5,
  }, () => {
    let read = 0
    let refused = 0
    fc.assert(
      fc.property(tickets, fc.array(mutations, { minLength: 1, maxLength: 2 }), (ticket, changes) => {
        const bytes = changes.reduce(mutate, Buffer.from(encodeTicket(ticket)))
        let decoded: ReturnType<typeof decodeTicket>
        try {
          decoded = decodeTicket(bytes, ticket.id)
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal)
          refused++
          return
        }
        read++
        const again = decode(encodeTicket(decoded.ticket), ticket.id)
        expect(again).toEqual({ ticket: decoded.ticket, canonical: true })
        if (decoded.ticket.format === 1)
          expect(decoded.canonical).toBe(bytes.equals(Buffer.from(encodeTicket(again.ticket))))
      }),
      { numRuns, seed },
    )
    expect(Math.min(read, refused)).toBeGreaterThan(numRuns / 30)
    reportProof({ what: 'mutated Ticket files', count: numRuns, seed, seen: { read, refused } })
  })
})
