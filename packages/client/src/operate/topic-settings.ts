// Calls about what holds for a topic.
import { requireText } from '../arguments.ts'
import { type Connection, call, jsonOf } from '../connection/connection.ts'
import type { Answer } from '../connection/request.ts'
import type { CallOptions } from '../connection/retry.ts'
import { jsonBody } from './letters.ts'

export interface NewTopicSettings {
  /**
   * What makes a repeat of an event id a duplicate and no conflict, beside the source: `bytes`, payloads of the same text;
   * `json`, payloads that mean the same.
   */
  readonly same_content: 'bytes' | 'json'
}

export interface TopicSettings extends NewTopicSettings {
  readonly topic: string
}

export const readTopicSettings = async (
  connection: Connection,
  topic: string,
  options: CallOptions = {},
): Promise<TopicSettings> => settingsOf(await call(connection, pathOf(topic), { method: 'GET' }, options))

/** Safe to try again: the second time it says what holds already. */
export const setTopicSettings = async (
  connection: Connection,
  topic: string,
  settings: NewTopicSettings,
  options: CallOptions = {},
): Promise<TopicSettings> =>
  settingsOf(await call(connection, pathOf(topic), { ...jsonBody(settings), method: 'PUT' }, options))

function pathOf(topic: string): string {
  requireText('topic', topic)
  return `/topics/${encodeURIComponent(topic)}/settings`
}

const settingsOf = (answer: Answer): TopicSettings =>
  jsonOf<TopicSettings>(answer, (value) => 'same_content' in value)
