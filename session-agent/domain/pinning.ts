/**
 * The variables that keep a process to one graphics card, by the number that nvidia-smi shows; none on a host whose
 * config.json lists no cards. What draws with Vulkan or Direct3D chooses by its command line ({gpu}); these are for CUDA, the encoder, and
 * containers.
 */
export const pinning = (
  { cards }: { readonly cards: readonly unknown[] },
  card: number,
): Record<string, string> =>
  cards.length === 0
    ? {}
    : {
        // Without it CUDA counts the fastest card as the first.
        CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
        CUDA_VISIBLE_DEVICES: String(card),
        NVIDIA_VISIBLE_DEVICES: String(card),
      };
