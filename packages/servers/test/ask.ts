import { once } from 'node:events'
import { connect } from 'node:net'
import { connectStore } from '@sekali/store/connect'

const quiet = { info: () => {}, warn: () => {}, error: () => {} }

/** The first column of the first row. */
export async function askPostgres(url: string, statement: string): Promise<unknown> {
  await using store = connectStore({ url, poolMax: 1, name: 'test' }, quiet)
  const { rows } = await store.pool.query(statement)
  return Object.values(rows[0] ?? {})[0]
}

/** What Redis answers to one inline command, as it stands on the wire. */
export async function askRedis(url: string, command: string): Promise<string> {
  const { password, port } = new URL(url)
  const socket = connect({ port: Number(port), host: '127.0.0.1' })
  socket.setEncoding('utf8')
  socket.write(`AUTH ${password}\r\n${command}\r\nQUIT\r\n`)
  let answer = ''
  socket.on('data', (text) => {
    answer += text
  })
  await once(socket, 'close')
  return answer.slice('+OK\r\n'.length, -'+OK\r\n'.length)
}
