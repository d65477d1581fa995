/** The address of a view: everything that a person can filter by is in the fragment, so that a link shows the same. */

export interface Where {
  /** The parts of the path: `['ticket', 'T-1']`. */
  path: string[]
  query: URLSearchParams
}

/** Returns the view that the address names. */
export function currentPlace(): Where {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  return { path: path.split('/').map(part => decode(part)), query: new URLSearchParams(query) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Returns the address of a view; empty and absent values are left out. */
export function hrefTo(path: string, query: Record<string, string | undefined> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1])
  const text = new URLSearchParams(given).toString()
  return `#/${path}${text ? `?${text}` : ''}`
}

export function ticketHref(id: string): string {
  return hrefTo(`ticket/${encodeURIComponent(id)}`)
}
