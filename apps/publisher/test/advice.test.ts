import { createClient } from '@sekali/client/client'
import { freePort } from '@sekali/servers/free-port'
import { expect, test } from 'vitest'
import { adviceOn } from '../src/advice.ts'
import { keepAlive } from '../src/keep-alive.ts'

async function adviceAbout(url: string): Promise<string> {
  await using connections = keepAlive(url, 1)
  const client = createClient({ baseUrl: url, fetch: connections.fetch })
  const error = await client.waitUntilReady({ deadlineMs: 100 }).catch((error: unknown) => error)
  return adviceOn(error, url)
}

test('a host that there is not is called that, and a port where nobody listens is another thing', async () => {
  expect(await adviceAbout('http://no-such.invalid:8080')).toMatch(/no host no-such\.invalid: .*SEKALI_URL/)
  expect(await adviceAbout(`http://127.0.0.1:${await freePort()}`)).toMatch(
    /nobody listens there: .*npm start/,
  )
})
