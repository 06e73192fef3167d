/** The phrases of HTTP (RFC 9110, 15). Node's own are older: Payload Too Large, Unprocessable Entity. */
export const phrases = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
} as const

/** A status with which a problem is answered. */
export type Status = keyof typeof phrases

/**
 * Everything that can go wrong for a client: by its code the usual status, and what to say of it. A code is API and never
 * changes. The text is ours alone: no text of a driver, no value.
 */
export const problems = {
  bad_request: [400, 'This is not a request of HTTP/1.1.'],
  malformed_json: [400, 'The body is not JSON in UTF-8.'],
  incomplete_body: [400, 'The connection ended before the whole body had come.'],
  bad_request_target: [
    400,
    'Write the path plainly: without dot segments, empty segments, backslashes, a fragment, needless escapes or another authority, and with what it encodes as UTF-8 (% is %25). ?event_id= and ?key= take what a path cannot have.',
  ],
  bad_host: [400, 'There must be one Host header, with a name or address and perhaps a port.'],
  unauthorized: [401, 'A key is needed here. Send it as Authorization: Bearer sekali_…'],
  forbidden: [403, 'The key does not allow this.'],
  foreign_origin: [403, 'A page of another origin may change nothing here.'],
  not_found: [404, 'No route has this path.'],
  unknown_topic: [404, 'There is no topic of this name.'],
  topic_in_use: [
    409,
    'The topic has events, entries in flight or dead letters, or had events before a restore. Only one that has nothing can be dropped.',
  ],
  unknown_projection: [404, 'There is no projection of this name.'],
  unknown_key: [404, 'The projection has no state of this key.'],
  unknown_access_key: [404, 'There is no key of this id.'],
  key_ended: [409, 'The key was revoked or has expired: make a new one.'],
  key_succeeded: [409, 'The key was rotated already. Rotate its successor, or revoke it.'],
  key_busy: [409, 'Somebody else is changing the key. Look at it, and try again.'],
  too_many_keys: [409, 'There are 10,000 keys that work. Revoke those that nobody needs.'],
  unknown_letter: [404, 'There is no dead letter or conflict of this id.'],
  letter_settled: [409, 'Somebody has dealt with it already: GET it to see who, and how.'],
  letter_not_kept: [
    409,
    'Its topic had too many, so nothing of its content is kept: it cannot be published. Discard it.',
  ],
  not_a_conflict: [409, 'Only a conflict can be published under another id. Redrive a dead letter.'],
  event_id_taken: [409, 'An event of the topic has this id, with another content. Choose another id.'],
  unknown_subscription: [404, 'There is no subscription of this name.'],
  immutable_field: [
    409,
    'The subscription is there, and errors names what of it cannot be changed. Delete it, or choose another name.',
  ],
  subscription_paused: [409, 'The subscription is paused: it hands out nothing until somebody resumes it.'],
  too_many_subscriptions: [409, 'There are 1,000 subscriptions. Delete those that nobody needs.'],
  not_pull: [
    409,
    'The subscription is sent to an endpoint (kind push): nobody pulls from it, or settles what it sends.',
  ],
  not_push: [409, 'Workers pull from the subscription: it has no endpoint, no attempts and no secrets.'],
  no_webhook_key: [
    409,
    'This gateway has nothing to seal secrets of webhooks with. Set WEBHOOK_KEY, or WEBHOOK_KEY_FILE, to that of the dispatchers.',
  ],
  too_many_tests: [409, 'Tests of this endpoint wait already. Try again when they have been answered.'],
  unknown_delivery: [
    404,
    'The subscription has no such event: not of its topics, filtered out, or not there.',
  ],
  delivery_under_way: [
    409,
    'The event is being sent, or its turn has not come yet: it goes out without a retry. Look at the attempts.',
  ],
  too_many_retries: [409, 'As many events as may wait to be sent again already. Wait for some of them.'],
  unknown_secret: [404, 'The subscription has no secret of this id.'],
  last_secret: [409, 'It is the only secret. Make another one first, or delete the subscription.'],
  too_many_secrets: [409, 'As many secrets sign as may. Delete one, or wait until one has expired.'],
  count_changed: [409, 'By now another number of dead letters matches. Nothing is redriven: count again.'],
  unknown_operation: [404, 'There is no operation of this id.'],
  operation_over: [409, 'The operation has ended already.'],
  too_many_operations: [409, 'As many operations run as may. Wait for one, or cancel one.'],
  auth_off: [
    409,
    'This gateway asks nobody for a key, so a stranger could make one and keep it. Start it with SEKALI_AUTH=keys; the first key is made on the machine itself.',
  ],
  method_not_allowed: [405, 'See the Allow header for what can be done here.'],
  unknown_event: [
    404,
    'No event has this id. If in_flight is null, the gateway could not find out whether one is on its way.',
  ],
  event_in_flight: [404, 'The event is queued and not stored yet. Ask again.'],
  dead_event: [404, 'PostgreSQL refused the event; it is among the dead letters, with the reason.'],
  request_timeout: [408, 'The request took too long to come. Send it again, in one go.'],
  conflict: [
    409,
    'Another event, with other content, already has this id: the one with this seq. The log is unchanged.',
  ],
  projection_in_use: [
    409,
    'A projector still runs its definition. Remove the file, and drop the projection a minute later.',
  ],
  not_acceptable: [406, 'Events come as application/json or application/x-ndjson.'],
  body_too_large: [413, 'The body is larger than an event, or a batch, can be.'],
  expectation_failed: [417, 'The only Expect that is taken is 100-continue.'],
  unsupported_media_type: [415, 'Send application/json or application/x-ndjson in UTF-8.'],
  unsupported_encoding: [415, 'Send the body without a Content-Encoding.'],
  unknown_host: [
    421,
    'This gateway does not know itself by the name in the Host header. If it is right, add it to HOSTS.',
  ],
  invalid_event: [422, 'The body is JSON, but not an event, or not only events. Nothing is queued.'],
  invalid_key: [422, 'The body is JSON, but not what is asked for; errors names what does not fit.'],
  invalid_body: [422, 'The body is JSON, but not what is asked for; errors names what does not fit.'],
  invalid_batch: [422, 'A batch has 1 to 5,000 events.'],
  invalid_lines: [422, 'Some lines are not events. The others are queued.'],
  invalid_parameters: [422, 'Some query parameters are not valid; errors names them.'],
  too_many_topics: [422, 'The pattern matches more than 500 topics. Ask for fewer.'],
  cursor_ahead: [
    422,
    'This cursor is of an epoch that has not begun here, or names a topic that is not there: it came from another log, or from before this one was restored. Read without it, or begin a tail from start or now.',
  ],
  log_restored: [
    409,
    'The log was restored from a backup, and has given the numbers behind forked_at to other events than those you have read. Undo what you did with the events behind forked_at, and go on with cursor: it stands there, in the epoch of today.',
  ],
  topic_limit: [429, 'No more topics can be made (TOPICS_MAX). Events of existing topics are still taken.'],
  topic_rate: [429, 'Too many new topics at once. Publish to fewer new topics, or try again later.'],
  backlog_limit: [
    429,
    'These topics have as much in flight as they may (BACKLOG_EVENTS_MAX, BACKLOG_BYTES_MAX). Nothing is queued. Other topics go on.',
  ],
  client_limit: [429, 'You hold most of what this gateway has room for. Finish some of it, then try again.'],
  rate_limited: [429, 'The key publishes faster than it may. Nothing is queued.'],
  headers_too_large: [431, 'The request line and the headers may have at most 16 KiB together.'],
  internal_error: [500, 'This is a fault of the gateway; its log tells more.'],
  unsupported_transfer_coding: [501, 'The only Transfer-Encoding that is taken is chunked.'],
  broker_unavailable: [503, 'Redis cannot take events now. Publish all of it again.'],
  not_replicated: [
    503,
    'Too few replicas of Redis have it (REDIS_REPLICAS_MIN), so a failover could lose it. Publish all of it again.',
  ],
  event_lost: [503, 'Redis lost the event before it was stored. Publish it again.'],
  memory_limit: [503, 'Redis is nearly full. Events are taken again once consumers have made room.'],
  overloaded: [503, 'Too much is under way. Try again.'],
  too_many_tails: [503, 'This gateway has no room for another tail or waiting pull. Try again later.'],
  no_dispatcher: [
    503,
    'No dispatcher has sent it in time. Is one running? sekali doctor says so; in compose it is the service dispatcher.',
  ],
  issuer_unavailable: [503, 'The keys of the issuer of tokens cannot be read now. Ask again.'],
  store_unavailable: [503, 'PostgreSQL cannot answer now. Ask again.'],
} as const satisfies Record<string, readonly [status: Status, detail: string]>

export type ProblemCode = keyof typeof problems
