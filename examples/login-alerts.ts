import { defineProjection } from '@sekali/projection/define'

/**
 * An alert: five logins of one user that failed within a minute, with none that succeeded in between. Time is the
 * events' own, never the clock's: folded again tomorrow, the same alerts come out.
 */
export const loginAlerts = defineProjection({
  name: 'login-alerts',
  topics: 'logins.>',
  initial: { failed: [] as string[], alerts: [] as string[] },
  key: ({ payload }) => String(payload.user),
  apply({ failed, alerts }, { topic, timestamp }) {
    if (!topic.endsWith('.failed')) return { failed: [], alerts }
    const recent = [...failed, timestamp].filter((time) => Date.parse(timestamp) - Date.parse(time) < 60_000)
    if (recent.length < 5) return { failed: recent, alerts }
    return { failed: [], alerts: [...alerts.slice(-99), timestamp] }
  },
})
