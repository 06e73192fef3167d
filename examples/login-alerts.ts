import { defineProjection } from '@sekali/projection'

// Anything may be in a payload, and to make a string of {"toString":1} throws.
const nameOf = (value: unknown) =>
  ['string', 'number', 'bigint'].includes(typeof value) ? String(value) : ''

/**
 * An alert: five logins of one user that failed within a minute, with none that succeeded in between. Time is the
 * events' own, never the clock's, and what came in between must have one order: so failure and success are in one topic
 * (`logins.web`, with `{"user":"eve","ok":false}`), and the topic is in the key. Folded again, the same alerts come out.
 */
export const loginAlerts = defineProjection({
  name: 'login-alerts',
  topics: 'logins.*',
  initial: { failed: [] as string[], alerts: [] as string[] },
  // A login without a user's name is passed over.
  key: ({ topic, payload: { user } }) =>
    /^\P{C}{1,100}$/u.test(nameOf(user)) ? `${topic} ${nameOf(user)}` : undefined,
  apply({ failed, alerts }, { payload, timestamp }) {
    if (payload.ok === true) return { failed: [], alerts }
    const recent = [...failed, timestamp].filter((time) => Date.parse(timestamp) - Date.parse(time) < 60_000)
    if (recent.length < 5) return { failed: recent, alerts }
    return { failed: [], alerts: [...alerts.slice(-99), timestamp] }
  },
})
