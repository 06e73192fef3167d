/** The phrases of HTTP (RFC 9110, 15). Node's own are older: Payload Too Large, Unprocessable Entity. */
export const phrases = {
  400: 'Bad Request',
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
  incomplete_body: [400, 'The body ended before its end.'],
  bad_request_target: [
    400,
    'Write the path plainly: without dot segments, empty segments, backslashes, a fragment, needless escapes or another authority, and with what it encodes as UTF-8 (% is %25). ?event_id= and ?key= take what a path cannot have.',
  ],
  bad_host: [400, 'There must be one Host header, with a name or address and perhaps a port.'],
  foreign_origin: [403, 'A page of another origin may change nothing here.'],
  not_found: [404, 'There is nothing here.'],
  unknown_topic: [404, 'There is no topic of this name.'],
  topic_in_use: [
    409,
    'The topic has events, entries in flight or dead letters. Only one that has nothing can be dropped.',
  ],
  unknown_projection: [404, 'There is no projection of this name.'],
  unknown_key: [404, 'The projection has no state of this key.'],
  method_not_allowed: [405, 'See the Allow header for what can be done here.'],
  unknown_event: [
    404,
    'There is no such event. in_flight is null when it could not be told whether it is on its way.',
  ],
  event_in_flight: [404, 'The event is queued and not stored yet. Ask again.'],
  dead_event: [404, 'PostgreSQL refused the event; it is among the dead letters, with the reason.'],
  request_timeout: [408, 'The request took too long to come. Send it again, in one go.'],
  conflict: [409, 'The event id is taken by an event of other content, which has this seq.'],
  projection_in_use: [
    409,
    'A projector folds it. Take its definition away; a minute later it can be dropped.',
  ],
  not_acceptable: [406, 'Events come as application/json or application/x-ndjson.'],
  body_too_large: [413, 'The body is larger than an event, or a batch, can be.'],
  expectation_failed: [417, 'Expect may be 100-continue, and nothing else.'],
  unsupported_media_type: [415, 'Send application/json or application/x-ndjson in UTF-8.'],
  unsupported_encoding: [415, 'Send the body without a Content-Encoding.'],
  unknown_host: [
    421,
    'This gateway does not know itself by the name in the Host header. If it is right, add it to HOSTS.',
  ],
  invalid_event: [422, 'The body is JSON, but not an event, or not only events. Nothing is queued.'],
  invalid_batch: [422, 'A batch has 1 to 5,000 events.'],
  invalid_lines: [422, 'Some lines are not events. The others are queued.'],
  invalid_parameters: [422, 'The query parameters do not fit.'],
  too_many_topics: [422, 'The pattern matches more than 500 topics. Ask for fewer.'],
  cursor_ahead: [
    422,
    'The place lies behind the end of the log: it is of another log, or this one was restored. Leave it out, or begin a tail from start or now.',
  ],
  topic_limit: [
    429,
    'There are as many topics as there may be (TOPICS_MAX). Events of topics that are there can be published.',
  ],
  topic_rate: [
    429,
    'These are too many new topics at once. Publish those of fewer new topics, or come again later.',
  ],
  client_limit: [429, 'You hold most of what this gateway has room for. Finish some of it, then try again.'],
  headers_too_large: [431, 'Target and headers have at most 16 KiB.'],
  internal_error: [500, 'This is a fault of the gateway; its log tells more.'],
  unsupported_transfer_coding: [501, 'A body may come in chunks, and is coded in no other way.'],
  broker_unavailable: [503, 'Redis cannot take events now. Publish all of it again.'],
  event_lost: [503, 'Redis lost the event before it was stored. Publish it again.'],
  overloaded: [503, 'Too much is under way. Try again.'],
  too_many_tails: [503, 'There is no room for another tail here. Come again.'],
  store_unavailable: [503, 'PostgreSQL cannot answer now. Ask again.'],
} as const satisfies Record<string, readonly [status: Status, detail: string]>

export type ProblemCode = keyof typeof problems
