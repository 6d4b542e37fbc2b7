// The sets of regions that the model cards share, each the smaller one first.
export const us3: readonly string[] = ['us-east-1', 'us-east-2', 'us-west-2']
export const us4: readonly string[] = [...us3, 'us-west-1']
export const us5: readonly string[] = [...us4, 'ca-central-1']
export const us6: readonly string[] = [...us5, 'ca-west-1']
export const eu6: readonly string[] = [
  'eu-central-1',
  'eu-north-1',
  'eu-south-1',
  'eu-south-2',
  'eu-west-1',
  'eu-west-3',
]
export const eu8: readonly string[] = [...eu6, 'eu-central-2', 'eu-west-2']
export const jp2: readonly string[] = ['ap-northeast-1', 'ap-northeast-3']
export const au2: readonly string[] = ['ap-southeast-2', 'ap-southeast-4']
export const au3: readonly string[] = [...au2, 'ap-southeast-6']
export const in2: readonly string[] = ['ap-south-1', 'ap-south-2']
export const gov2: readonly string[] = ['us-gov-east-1', 'us-gov-west-1']
export const apac7: readonly string[] = [...jp2, ...in2, 'ap-northeast-2', 'ap-southeast-1', 'ap-southeast-2']

/** Every commercial region with Bedrock. */
export const commercial: readonly string[] = [
  ...us6,
  ...eu8,
  ...apac7,
  ...['ap-east-2', 'ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7'],
  ...['af-south-1', 'il-central-1', 'me-central-1', 'me-south-1', 'mx-central-1', 'sa-east-1'],
]
