/**
 * A token names what a worker was given: the grant, which is 128 random bits, and what it was of. It is matched by equality, so
 * SQL can check it as well: the migrations have the same form. With a seq it is of one event, without of all of the grant.
 *
 *     GRANT.SUBSCRIPTION.GENERATION[.TOPIC.EPOCH.SEQ]      the grant in base64url, the rest in decimals
 */
export interface Granted {
  /** 16 bytes. */
  readonly grant: Buffer
  /** The subscription's id. */
  readonly subscription: number
  readonly generation: number
}

export interface GrantedEvent {
  readonly topicId: number
  readonly epoch: number
  readonly seq: number
}

export const grantToken = ({ grant, subscription, generation }: Granted): string =>
  `${grant.toString('base64url')}.${subscription}.${generation}`

export const tokenOf = (granted: Granted, { topicId, epoch, seq }: GrantedEvent): string =>
  `${grantToken(granted)}.${topicId}.${epoch}.${seq}`
