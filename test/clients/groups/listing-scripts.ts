// What admins ask about groups, and the settings of single groups.
import {
  CHANGE_CONFIGS,
  CONFIG_RESOURCES,
  CONFIGS,
  DESCRIBE,
  DESCRIBE_CONSUMERS,
  LIST,
  SET_CONFIGS,
} from './exchanges.ts'
import { ClassicMember, ConsumerMember } from './members.ts'
import type { Script, Talk } from './talk.ts'

const GROUP = 32

const listing: Script = {
  name: 'groups are listed and described',
  run: async (talk) => {
    const topic = 'listing'
    await talk.topic(topic, 2)
    const classic = async (groupId: string) => {
      const member = await ClassicMember.connect(talk, { groupId, name: groupId })
      await member.joinFully()
      return member
    }
    const stable = await classic('listing-stable')
    await stable.sync([])
    await classic('listing-completing')
    const empty = await classic('listing-empty')
    await empty.leave()
    const consumer = await ConsumerMember.connect(talk, 'listing-consumer', 'listing-c')
    await consumer.join([topic])
    const left = await ConsumerMember.connect(talk, 'listing-left', 'listing-d')
    await left.join([topic])
    await left.leave()
    const list = async (version: number, statesFilter: string[], typesFilter: string[]) => {
      const body = version < 4 ? {} : version < 5 ? { statesFilter } : { statesFilter, typesFilter }
      const answer = await talk.askQuietly(LIST, version, body)
      const groups = answer.groups.filter(({ groupId }) => groupId.startsWith('listing-'))
      talk.note(`v${version} ${statesFilter} ${typesFilter}`, { ...answer, groups })
    }
    for (const version of [0, 1, 2, 3, 4, 5]) await list(version, [], [])
    for (const state of [
      'Stable',
      'stable',
      'EMPTY',
      'Empty',
      'CompletingRebalance',
      'PreparingRebalance',
      'Dead',
      'Assigning',
      'Reconciling',
      'nonsense',
      '',
    ]) {
      await list(4, [state], [])
      await list(5, [state], [])
    }
    for (const type of ['classic', 'Classic', 'CONSUMER', 'consumer', 'share', 'streams', 'x', ''])
      await list(5, [], [type])
    await list(5, ['Stable', 'Empty'], ['consumer'])
    await list(5, ['Stable', 'Empty', 'x'], ['consumer', 'classic'])
    const groups = ['stable', 'completing', 'empty', 'consumer', 'left', 'nobody']
      .map((name) => `listing-${name}`)
      .concat('', 'listing-stable')
    for (const version of [0, 1, 2, 3, 4, 5, 6])
      await talk.ask(`describe v${version}`, DESCRIBE, version, {
        groups,
        includeAuthorizedOperations: version > 2,
      })
    for (const version of [0, 1])
      for (const includeAuthorizedOperations of [false, true])
        await talk.ask(`describe consumers v${version}`, DESCRIBE_CONSUMERS, version, {
          groupIds: groups,
          includeAuthorizedOperations,
        })
    await talk.ask('describe nobody', DESCRIBE, 6, { groups: [] })
    await talk.ask('describe no consumers', DESCRIBE_CONSUMERS, 1, {
      groupIds: [],
      includeAuthorizedOperations: false,
    })
  },
}

const settings: Script = {
  name: 'settings of single groups',
  run: async (talk) => {
    await talk.topic('settings', 1)
    const change = (label: string, name: string, ...configs: [string, number, string | null][]) =>
      talk.ask(label, CHANGE_CONFIGS, 1, {
        resources: [
          {
            resourceType: GROUP,
            resourceName: name,
            configs: configs.map(([key, configOperation, value]) => ({
              name: key,
              configOperation,
              value,
            })),
          },
        ],
        validateOnly: false,
      })
    /** What was changed shows a little later. */
    const describe = (label: string, name: string, isDone: (value: unknown) => boolean) =>
      talk.until(
        label,
        () =>
          talk.askQuietly(CONFIGS, 4, {
            resources: [{ resourceType: GROUP, resourceName: name, configurationKeys: null }],
            includeSynonyms: true,
            includeDocumentation: false,
          }),
        (answer) =>
          isDone(
            answer.results[0]?.configs.find(
              (config) => config.name === 'consumer.session.timeout.ms',
            )?.value,
          ),
      )
    const key = 'consumer.session.timeout.ms'
    await describe('defaults', 'settings-a', () => true)
    await describe('no name', '', () => true)
    await change(
      'set',
      'settings-a',
      [key, 0, '50000'],
      ['consumer.heartbeat.interval.ms', 0, '6000'],
    )
    await describe('as set', 'settings-a', (value) => value === '50000')
    await change('too high', 'settings-a', [key, 0, '60001'])
    await change('too low', 'settings-a', [key, 0, '99'])
    await change('no number', 'settings-a', [key, 0, 'soon'])
    await change('unknown', 'settings-a', ['no.such.setting', 0, '1'])
    await change('null', 'settings-a', [key, 0, null])
    await change('appended', 'settings-a', [key, 2, '1'])
    await change('session below heartbeat', 'settings-a', [key, 0, '5000'])
    await change('no name', '', [key, 0, '50000'])
    await change('of shares', 'settings-share', ['share.session.timeout.ms', 0, '46000'])
    await change('of shares, odd', 'settings-share', ['share.auto.offset.reset', 0, 'sometime'])
    await change('of streams', 'settings-streams', ['streams.num.standby.replicas', 0, '1'])
    for (const validateOnly of [true, false])
      await talk.ask(`AlterConfigs ${validateOnly}`, SET_CONFIGS, 2, {
        resources: [
          {
            resourceType: GROUP,
            resourceName: 'settings-b',
            configs: [{ name: key, value: '51000' }],
          },
        ],
        validateOnly,
      })
    await describe('replaced', 'settings-b', (value) => value === '51000')
    await talk.ask('with settings of their own', CONFIG_RESOURCES, 1, { resourceTypes: [GROUP] })
    await talk.ask('chosen', CONFIGS, 1, {
      resources: [
        { resourceType: GROUP, resourceName: 'settings-a', configurationKeys: [key, 'nonsense'] },
        { resourceType: GROUP, resourceName: 'settings-a', configurationKeys: [] },
      ],
      includeSynonyms: false,
    })
    const member = await ConsumerMember.connect(talk, 'settings-a', 'settings-m')
    talk.note('heartbeats as set', await member.join(['settings']))
    await change(
      'removed',
      'settings-a',
      [key, 1, null],
      ['consumer.heartbeat.interval.ms', 1, null],
    )
    await describe('as before', 'settings-a', (value) => value === '45000')
    talk.note('heartbeats as before', await member.beat({ topicPartitions: member.owned }))
    await change(
      'short',
      'settings-short',
      [key, 0, '300'],
      ['consumer.heartbeat.interval.ms', 0, '100'],
    )
    await describe('as short', 'settings-short', (value) => value === '300')
    const silent = await ConsumerMember.connect(talk, 'settings-short', 'settings-s')
    talk.note('short heartbeats', await silent.join(['settings']))
    await expired(talk, 'settings-short')
    talk.note('gone', await silent.beat())
  },
}

const expired = (talk: Talk, groupId: string) =>
  talk.until(
    'expired',
    () =>
      talk.askQuietly(DESCRIBE_CONSUMERS, 1, {
        groupIds: [groupId],
        includeAuthorizedOperations: false,
      }),
    (answer) => answer.groups[0]?.groupState === 'Empty',
  )

/** The scripts. */
export const listingScripts: readonly Script[] = [listing, settings]
