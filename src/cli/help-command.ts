import { didYouMean, nearestNames } from '../model/nearest-names.ts'
import { type Command, command, optionalLine } from '../operations/operation.ts'
import { commandHelp, programHelp } from './help.ts'
import { TOPICS, topicList } from './help-topics.ts'
import { usage } from './parse-arguments.ts'

/** Prints the help of the program, of a command or about a topic. */
export const helpCommand = command({
  name: 'help',
  summary: 'Explain a command or a topic',
  details: `Topics: ${Object.keys(TOPICS).join(', ')}. Without one, it prints the help of the program and the list of topics.`,
  fields: {
    topic: { schema: optionalLine, help: 'a command or a topic', positional: true, completes: 'topic' },
  },
  examples: ['ticketplan help accept', 'ticketplan help verdicts'],
})

/** The commands, which are passed in: they are what loads this module. */
interface Commands<N extends string> {
  version: string
  commandNames: readonly N[]
  loadCommand(name: N): Promise<Command>
  loadCommandGroups(): Promise<ReadonlyMap<string, readonly Command[]>>
}

/** Returns the help about a topic; without one, that of the program. @throws PlanError usage, with the nearest topics. */
export async function helpText<N extends string>(
  topic: string | undefined,
  { version, commandNames, loadCommand, loadCommandGroups }: Commands<N>,
  width: number,
): Promise<string> {
  if (topic === undefined) return `${programHelp(version, await loadCommandGroups(), width)}\n${topicList(width)}`
  const name = commandNames.find(name => name === topic)
  if (name !== undefined) return commandHelp(await loadCommand(name), width)
  if (Object.hasOwn(TOPICS, topic)) return TOPICS[topic]!.text(width)
  const topics = Object.keys(TOPICS)
  const similar = didYouMean(nearestNames(topic, [...commandNames, ...topics]))
  throw usage('help', `no command or topic "${topic}"${similar || `; the topics are ${topics.join(', ')}`}`)
}
