/** What a key costs: a look into two maps for each request. The load generator sends the same requests. */
import { besideItself } from './beside-itself.ts'

export const keysRow = besideItself({
  name: 'keys',
  what: 'single-event POST /publish with a key',
  against: 'the same where nobody is asked for one',
  side: 'sekali with keys',
  keys: true,
  must: 0.95,
})
