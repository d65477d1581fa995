/**
 * Splits a text into the JSON documents that it concatenates, as `gh api --paginate` and `jq` write them. Pure.
 *
 * Invariant: a text that ends within a document is refused with the place, so that half an export is never taken as a whole.
 */
import { isUtf8 } from 'node:buffer'
import { PlanError } from '../model/errors.ts'
import { checkMarkers, descriptorOf, readSource, refuseSource } from './source-text.ts'

/** Reads all documents of a file or of standard input. @throws PlanError import_source with line and column. */
export function readDocuments(path: string): unknown[] {
  const bytes = readSource(path)
  if (!isUtf8(bytes)) {
    refuseSource(path, `${nameOf(path)} is not valid UTF-8; export it again. Nothing was written`)
  }
  return parseDocuments(bytes.toString('utf8'), path)
}

/** Returns the documents of a text, at least one. Byte order marks before a document are ignored. @throws PlanError import_source. */
function parseDocuments(text: string, path: string): unknown[] {
  checkMarkers(text, path)
  const documents: unknown[] = []
  for (let start = nextStart(text, 0); start < text.length; ) {
    const end = endOf(text, start)
    try {
      documents.push(JSON.parse(text.slice(start, end)))
    } catch (error) {
      refuse(text, start, path, (error as Error).message)
    }
    start = nextStart(text, end)
  }
  if (documents.length === 0)
    refuseSource(path, `${nameOf(path)} contains no JSON document; export it again. Nothing was written`)
  return documents
}

/** Returns what a message calls the source. */
function nameOf(path: string): string {
  return descriptorOf(path) === undefined ? path : 'standard input'
}

function nextStart(text: string, from: number): number {
  const gap = /[\s\ufeff]*/y
  gap.lastIndex = from
  gap.exec(text)
  return gap.lastIndex
}

/** Returns where the document that begins at `start` ends: after its last bracket, or for anything else at the end of its line. */
function endOf(text: string, start: number): number {
  if (text[start] !== '{' && text[start] !== '[') {
    const newline = text.indexOf('\n', start)
    return newline === -1 ? text.length : newline
  }
  const token = /"(?:[^"\\]|\\.)*"?|[[\]{}]/gs
  token.lastIndex = start
  let depth = 0
  for (let found = token.exec(text); found; found = token.exec(text)) {
    if (found[0] === '{' || found[0] === '[') depth++
    else if (found[0] === '}' || found[0] === ']') depth--
    if (depth === 0) return token.lastIndex
  }
  return text.length
}

function refuse(text: string, start: number, path: string, problem: string): never {
  const before = text.slice(0, start)
  const line = before.split('\n').length
  const column = start - before.lastIndexOf('\n')
  const message = `${nameOf(path)}:${line}:${column}: the JSON document that begins here cannot be read (${problem}); export it again. Nothing was written`
  throw new PlanError('import_source', message, { path, place: { line, column } })
}
