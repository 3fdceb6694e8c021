import { Config, PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.2';
import { startStock } from './stock.ts';

startStock(Config, PixelStreaming);
