/** A TCP proxy on this machine that delays, cuts and swallows on demand: the network between a clone and its server. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** `pass` forwards; `refuse` resets new connections; `silent` takes bytes and forwards none. */
  mode: 'pass' | 'refuse' | 'silent'
  /** How long each direction takes longer. */
  delayMs: number
  /** Called with each request before it is forwarded, which waits for the result. */
  onRequest: (text: string) => void | Promise<void>
  /** Forwards the next request with this text, and resets the connection in place of its answer. */
  loseAnswerTo(text: string): void
  /** Resets all connections. */
  cut(): void
}

/** Starts a proxy to a port of this machine. */
export async function startTcpProxy(serverPort: () => number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let lost: string | undefined
  const server = createServer({ noDelay: true }, client => {
    if (proxy.mode === 'refuse') return void client.resetAndDestroy()
    const target = connect({ port: serverPort(), host: '127.0.0.1', noDelay: true })
    let isDoomed = false
    let last = Promise.resolve()
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        target.destroy()
      })
    }
    const forward = (to: Socket, bytes: Buffer) => {
      if (proxy.mode === 'silent') return
      if (proxy.delayMs > 0) setTimeout(() => to.writable && to.write(bytes), proxy.delayMs)
      else to.write(bytes)
    }
    client.on('data', bytes => {
      const text = bytes.toString('latin1')
      if (lost !== undefined && text.includes(lost)) {
        lost = undefined
        isDoomed = true
      }
      last = last.then(() => proxy.onRequest(text)).then(() => forward(target, bytes))
    })
    target.on('data', bytes => {
      if (isDoomed) client.resetAndDestroy()
      else forward(client, bytes)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    mode: 'pass',
    delayMs: 0,
    onRequest: () => {},
    loseAnswerTo(text) {
      lost = text
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return proxy
}
