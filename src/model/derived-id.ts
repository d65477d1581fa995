/** Ids of decisions, derived from content: two clones that have the same content derive the same id. */
import { lazy } from './lazy.ts'

const crypto = lazy(() => process.getBuiltinModule('node:crypto')) // 7 ms, which most commands and merges do not need

/** Returns a ULID whose time is the given one (ISO 8601, from 1970 on) and whose other 80 bits are a hash of the content. */
export function derivedId(time: string, content: string): string {
  const hash = BigInt(`0x${crypto().createHash('sha256').update(content).digest('hex').slice(0, 20)}`)
  let bits = (BigInt(Date.parse(time)) << 80n) | hash
  let id = ''
  for (let length = 0; length < 26; length++) {
    id = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[Number(bits & 31n)] + id
    bits >>= 5n
  }
  return id
}
