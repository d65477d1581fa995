/** Damages bytes as disks, editors and other programs do: a flipped bit, a cut, a piece that was repeated, removed or put in. */
const WORDS = [
  '\\ud800',
  '1e400',
  'null',
  'true',
  '---\n',
  '<<<<<<< ours\n',
  '=======\n',
  '../',
  '__proto__',
  '${',
  '--',
]
const PIECES = [...'"\\{}[],:0-\n\r\t\0\u2028#;\'\u{10ffff}', ...WORDS].map(text => Buffer.from(text))

/** Returns the bytes with one to three changes. */
export function mutatedBytes(bytes: Buffer, random: (bound: number) => number): Buffer {
  let changed = bytes
  for (let times = 1 + random(3); times > 0; times--) changed = mutatedOnce(changed, random)
  return changed
}

function mutatedOnce(bytes: Buffer, random: (bound: number) => number): Buffer {
  const at = random(bytes.length + 1)
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
  const count = 1 + random(40)
  switch (random(6)) {
    case 0: {
      const copy = Buffer.from(bytes)
      if (at < copy.length) copy[at]! ^= 1 << random(8)
      return copy
    }
    case 1:
      return head
    case 2:
      return Buffer.concat([head, PIECES[random(PIECES.length)]!, tail])
    case 3:
      return Buffer.concat([head, tail.subarray(count)])
    case 4:
      return Buffer.concat([head, tail.subarray(0, count), tail])
    default:
      return Buffer.concat([head, Buffer.from([random(256), random(256)]), tail])
  }
}
