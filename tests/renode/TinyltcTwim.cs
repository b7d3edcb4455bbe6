// TWIM: the nRF52840's I2C master with EasyDMA (Product Specification 6.31), for Renode, which has the TWI without DMA
// only. Transfers take no virtual time. Written after Renode's interfaces (1.16.1), not run where this was written.
using System;
using System.Collections.Generic;
using Antmicro.Renode.Core;
using Antmicro.Renode.Core.Structure;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Miscellaneous;

namespace Antmicro.Renode.Peripherals.I2C
{
    public class TinyltcTwim : SimpleContainer<II2CPeripheral>, IDoubleWordPeripheral, IKnownSize, INRFEventProvider
    {
        public TinyltcTwim(IMachine machine) : base(machine)
        {
            IRQ = new GPIO();
            Reset();
        }

        public override void Reset()
        {
            registers.Clear();
            inten = 0;
            Update();
        }

        public uint ReadDoubleWord(long offset)
        {
            if(offset == IntenSet || offset == IntenClear || offset == Inten)
            {
                return inten;
            }
            return registers.TryGetValue(offset, out var value) ? value : 0u;
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            switch(offset)
            {
            case StartRx:
                if(value == 1) Receive();
                break;
            case StartTx:
                if(value == 1) Transmit();
                break;
            case Stop:
                if(value == 1) Finish();
                break;
            case Inten:
                inten = value;
                break;
            case IntenSet:
                inten |= value;
                break;
            case IntenClear:
                inten &= ~value;
                break;
            case ErrorSource:
                registers[offset] = ReadDoubleWord(offset) & ~value;
                break;
            default:
                registers[offset] = value;
                break;
            }
            Update();
        }

        public long Size => 0x1000;

        public GPIO IRQ { get; }

        public event Action<uint> EventTriggered;

        private void Transmit()
        {
            if(!Begin(TxStarted, out var part))
            {
                return;
            }
            var data = Machine.GetSystemBus(this).ReadBytes(ReadDoubleWord(TxPointer), (int)ReadDoubleWord(TxMaximum));
            part.Write(data);
            registers[TxAmount] = (uint)data.Length;
            Raise(LastTx);
            if(Short(7))
            {
                Receive();
            }
            else if(Short(9))
            {
                Finish();
            }
        }

        private void Receive()
        {
            if(!Begin(RxStarted, out var part))
            {
                return;
            }
            var data = part.Read((int)ReadDoubleWord(RxMaximum));
            Machine.GetSystemBus(this).WriteBytes(data, ReadDoubleWord(RxPointer));
            registers[RxAmount] = (uint)data.Length;
            Raise(LastRx);
            if(Short(12))
            {
                Finish();
            }
        }

        private bool Begin(long started, out II2CPeripheral part)
        {
            part = null;
            if((ReadDoubleWord(Enable) & 0xF) != On)
            {
                return false;
            }
            Raise(started);
            if(TryGetByAddress((int)ReadDoubleWord(Address), out part))
            {
                return true;
            }
            registers[ErrorSource] = ReadDoubleWord(ErrorSource) | AddressNotAcknowledged;
            Raise(Error);
            return false;
        }

        private void Finish()
        {
            if(TryGetByAddress((int)ReadDoubleWord(Address), out var part))
            {
                part.FinishTransmission();
            }
            Raise(Stopped);
        }

        private bool Short(int bit)
        {
            return (ReadDoubleWord(Shorts) >> bit & 1) != 0;
        }

        private void Raise(long offset)
        {
            registers[offset] = 1;
            EventTriggered?.Invoke((uint)offset);
            Update();
        }

        private void Update()
        {
            var high = false;
            foreach(var offset in events)
            {
                high |= ReadDoubleWord(offset) != 0 && (inten >> (int)((offset - FirstEvent) / 4) & 1) != 0;
            }
            IRQ.Set(high);
        }

        private uint inten;
        private readonly Dictionary<long, uint> registers = new Dictionary<long, uint>();
        private static readonly long[] events = { Stopped, Error, RxStarted, TxStarted, LastRx, LastTx };

        private const long StartRx = 0x000, StartTx = 0x008, Stop = 0x014, FirstEvent = 0x100;
        private const long Stopped = 0x104, Error = 0x124, RxStarted = 0x14C, TxStarted = 0x150, LastRx = 0x15C, LastTx = 0x160;
        private const long Shorts = 0x200, Inten = 0x300, IntenSet = 0x304, IntenClear = 0x308;
        private const long ErrorSource = 0x4C4, Enable = 0x500, Address = 0x588;
        private const long RxPointer = 0x534, RxMaximum = 0x538, RxAmount = 0x53C;
        private const long TxPointer = 0x544, TxMaximum = 0x548, TxAmount = 0x54C;
        private const uint On = 6, AddressNotAcknowledged = 1u << 1;
    }
}
