/** A process that changes a plan on request: a message has a method and its input, the answer is the time of the change, or an error. */
import { openPlan, type Plan } from '../sdk.ts'

const plan = openPlan({ root: process.argv[2]!, actor: 'writer' })
process.send!(0)
process.on('message', ({ method, input }: { method: keyof Plan; input: object }) => {
  const action = plan[method] as (input: object) => unknown
  try {
    action(input)
    process.send!(Date.now())
  } catch (error) {
    process.send!(String(error))
  }
})
