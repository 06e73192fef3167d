import type { Broker } from './connect.ts'

/** The stream that carries a topic. */
export const streamKey = ({ prefix }: Broker, topic: string) => `${prefix}:stream:${topic}`

/** The stream of what traces belong to the packs of a topic; see append/traces.ts. */
export const tracesKey = ({ prefix }: Broker, topic: string) => `${prefix}:traces:${topic}`

/** The set of the names of all topics. */
export const topicsKey = ({ prefix }: Broker) => `${prefix}:topics`

/** The hash of the topics that have entries in flight, each with the last id of its stream; see turn/marks.ts. */
export const dirtyKey = ({ prefix }: Broker) => `${prefix}:dirty`

/** The hash of what Redis brought back of each topic when it began its present history; see loss/vouch.ts. */
export const restoredKey = ({ prefix }: Broker) => `${prefix}:restored`

/** The hash of the highest timeline of each system of PostgreSQL; see turn/fence.ts. */
export const fenceKey = ({ prefix }: Broker) => `${prefix}:fence`

/** The hash of how far topics' logs had come when consumers last acknowledged; see turn/remembered.ts. */
export const rememberedKey = ({ prefix }: Broker) => `${prefix}:remembered`

/** The hash of how much is kept of what is stored, and since when; see keep/note.ts. Its slices have a key each. */
export const keepKey = ({ prefix }: Broker) => `${prefix}:keep`

/** The hash of what was stored in a slice of time: up to where, of which topic, how much. */
export const keepSliceKey = (broker: Broker, slice: number) => `${keepKey(broker)}:${slice}`

/** The channel on which a topic's name says to all consumers that the topic has news. */
export const doorbellChannel = ({ prefix }: Broker) => `${prefix}:doorbell`

/** The same for those consumers whom the topics of one channel concern; see hints/channels.ts. */
export const doorbellChannelOf = (broker: Broker, channel: number) => `${doorbellChannel(broker)}:${channel}`

/** The channel on which consumers say how far a topic has come. */
export const headsChannel = ({ prefix }: Broker) => `${prefix}:heads`

/** The channel on which a gateway says that a key was rotated or revoked. */
export const keysChannel = ({ prefix }: Broker) => `${prefix}:keys`

/** Held by the consumer that scans all streams, for as long as that need not be done again; see turn/scan-claim.ts. */
export const scanKey = ({ prefix }: Broker) => `${prefix}:sweep`

/** The set of the names of consumers that have been seen. */
export const consumersKey = ({ prefix }: Broker) => `${prefix}:consumers`

/** What a consumer says of itself; it expires unless it is renewed. */
export const presenceKey = ({ prefix }: Broker, consumer: string) => `${prefix}:consumer:${consumer}`

/** What the names of our consumer groups begin with; see append/calls.ts for what follows. */
export const groupPrefix = ({ prefix }: Broker) => `${prefix}-`

/** The hash that has the secret by which gateways sign sessions; see operate/sessions.ts. */
export const sessionsKey = ({ prefix }: Broker) => `${prefix}:sessions`

/** The set of the names of sessions that were ended before their time, of those that end in one span of it. */
export const endedSessionsKey = ({ prefix }: Broker, span: number) => `${prefix}:sessions:ended:${span}`

/** The set of the spans that have such a set. */
export const endedSpansKey = ({ prefix }: Broker) => `${prefix}:sessions:spans`

/** The hash that a gateway writes to see whether Redis takes writes; see operate/writable.ts. */
export const writableKey = ({ prefix }: Broker) => `${prefix}:writable`
