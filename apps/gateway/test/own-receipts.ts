import { startApp } from '@sekali/testkit/app'
import { post } from './gateway.ts'
import { ownProcess } from './own-process.ts'

/** A gateway as a process, for publishers that wait, and a consumer when a test wants one. */
export async function ownReceipts() {
  const own = await ownProcess()
  const { env, url } = own
  return {
    ...own,
    databaseUrl: env.DATABASE_URL,
    startConsumer: () => startApp('consumer/src/main.ts', { ...env, CONSUMER_NAME: 'c1' }),
    publish: async (body: string, wait = 10) => {
      const response = await fetch(`${url}/publish`, post(body, { Prefer: `wait=${wait}` }))
      const {
        title: _title,
        detail: _detail,
        type: _type,
        ...said
      } = (await response.json()) as Record<string, unknown>
      return [response.status, said, response.headers.get('preference-applied')] as const
    },
    get: (path: string) => fetch(`${url}${path}`),
  }
}
