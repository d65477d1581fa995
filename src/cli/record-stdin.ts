/** Defines the second form of `record`: many decisions, one JSON document in each line of standard input. */
import { parseStrict } from '../model/strict-json.ts'
import { LIMITS } from '../model/text.ts'
import { type Command, flag, operation } from '../operations/operation.ts'
import { record } from '../operations/record.ts'
import { type NumberedLine, recordAll, recordLines } from '../operations/record-all.ts'
import { readStdin } from './stdin-text.ts'

const form = operation({
  name: 'record',
  summary: recordAll.summary,
  writes: true,
  fields: {
    stdin: { schema: flag, help: 'read decisions from standard input, one JSON document in each line' },
    keepGoing: recordAll.fields.keepGoing,
  },
  output: recordAll.output,
  examples: recordAll.examples,
  exitStatus: recordAll.exitStatus,
  run: (store, { keepGoing }) => recordLines(store, linesOf(readStdin('--stdin')), keepGoing),
})

export const recordCommand = { ...record, form: { flag: 'stdin', command: form as unknown as Command } }

/** Returns the lines that are not blank, parsed, with their numbers. */
function linesOf(text: string): NumberedLine[] {
  return text.split('\n').flatMap((content, position): NumberedLine[] => {
    const line = position + 1
    if (content.trim() === '') return []
    try {
      return [{ line, given: parseStrict(content, LIMITS.depth).value }]
    } catch (error) {
      return [{ line, error: (error as Error).message }]
    }
  })
}
