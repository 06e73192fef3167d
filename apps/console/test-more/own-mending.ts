import { connectStore, type Store } from '@sekali/store/connect'
import { startApp } from '@sekali/testkit/app'
import { makeConflict, makeDead } from '@sekali/testkit/letters'
import { quiet } from '@sekali/testkit/quiet'
import { type OwnConsole, ownConsole } from './own-console.ts'

export interface OwnMending extends OwnConsole {
  /** Of the API, without a prefix. */
  readonly apiUrl: string
  readonly store: Store
  /** Asks the API, and reads its answer as JSON. */
  ask(path: string): Promise<unknown>
  /** The id of the newest letter of a topic. */
  newest(topic: string): Promise<string>
}

/** A system that letters can be made in, as consumers leave them. */
export async function ownMending({ withProjector = false } = {}): Promise<OwnMending> {
  await using stack = new AsyncDisposableStack()
  const own = stack.use(await ownConsole())
  const { DATABASE_URL: url = '' } = own.env
  const store = stack.use(connectStore({ url, poolMax: 4, name: 'test' }, quiet))
  if (withProjector) stack.use(startApp('projector/src/main.ts', own.env))
  const apiUrl = own.gateway.url
  const ask = async (path: string) => (await fetch(`${apiUrl}${path}`)).json()
  const owned = stack.move()
  return {
    ...own,
    apiUrl,
    store,
    ask,
    newest: async (topic) => {
      const letters = (await ask(`/dead-letters?state=all&limit=1&topic=${topic}`)) as { id: string }[]
      return letters[0]?.id ?? ''
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** What people and programs have put into such fields to break pages. */
export const hostile = {
  topic: '__proto__.constructor',
  eventId: `<img src=x onerror="document.title='broken'">\u202Eexe.txt ${'w'.repeat(200)}`,
  source: '\u202Epohs\u200B',
  payload:
    '{"__proto__":{"a":9007199254740993},"b":12.50,"c":"javascript:alert(1)","<script>x</script>":"\u202E<b>"}',
}

export async function makeLetters(store: Store): Promise<void> {
  await makeConflict(store, 'order-1', {
    topic: 'orders.eu.paid',
    stored:
      '{"customer":"c-17","total":12.50,"lines":[{"sku":"A-1","count":2},{"sku":"B-7","count":1}],"express":false}',
    received:
      '{"customer":"c-17","total":13.00,"lines":[{"sku":"A-1","count":2},{"sku":"B-8","count":1}],"express":false}',
  })
  await makeConflict(store, 'order-2', {
    topic: 'orders.eu.paid',
    stored: '{"customer":"c-18","total":9007199254740993,"express":true}',
    received: '{"express":true,"customer":"c-18","total":9007199254740993}',
  })
  for (let at = 1; at <= 5; at++) await makeDead(store, `order-${at}`, { topic: 'orders.us.placed' })
  await makeDead(store, null, { topic: 'orders.us.placed' })
  await makeDead(store, hostile.eventId, { topic: hostile.topic, payload: hostile.payload })
  await makeConflict(store, hostile.eventId, {
    topic: hostile.topic,
    stored: hostile.payload,
    received: hostile.payload.replace('12.50', '12.51'),
  })
}
