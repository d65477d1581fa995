/** The client alone: the package's main file loads a pool too. */
declare module 'pg/lib/client.js' {
  import type { Client } from 'pg'

  const client: typeof Client
  export default client
}
declare module 'pgpass' {
  export default function pgpass(
    server: { host: string; port: number; database: string; user: string },
    found: (password: string | undefined) => void,
  ): void
}
