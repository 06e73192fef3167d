// Two lines of protocol, written out by hand: they are no reason for a Redis client in this room.
import { connect } from 'node:net'

/** `other` is anything that does not know our password, so a stranger on our port. */
export type RedisAnswer = 'ready' | 'loading' | 'nothing' | 'other'

const answerMsMax = 2_000

interface Place {
  readonly host: string
  readonly port: number
  readonly password: string
}

/** Logs in and pings. */
export async function pingRedis({ password, ...place }: Place): Promise<RedisAnswer> {
  const answer = await call(place, `AUTH ${password}\r\nPING\r\n`, /-|PONG/)
  if (answer === '') return 'nothing'
  if (answer.includes('-LOADING')) return 'loading'
  return answer.startsWith('+OK\r\n+PONG') ? 'ready' : 'other'
}

/** Logs in and has Redis write everything to disk and end. */
export async function shutDownRedis({ password, ...place }: Place): Promise<void> {
  await call(place, `AUTH ${password}\r\nSHUTDOWN\r\n`, /-/)
}

// What was received until it matched `enough`, the connection ended or failed, or the deadline passed.
async function call(place: Omit<Place, 'password'>, words: string, enough: RegExp): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connect({ port: place.port, host: place.host })
    let received = ''
    const finish = () => {
      socket.destroy()
      resolve(received)
    }
    socket.setEncoding('utf8')
    socket.setTimeout(answerMsMax, finish)
    socket.once('error', finish)
    socket.once('close', finish)
    socket.once('connect', () => socket.write(words))
    socket.on('data', (text) => {
      received += text
      if (enough.test(received)) finish()
    })
  })
}
